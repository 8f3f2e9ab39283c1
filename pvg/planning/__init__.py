"""Search over any environment whose state is its TensorDict: novelty, width search, trees."""
