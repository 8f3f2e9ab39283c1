"""Metamath (Megill & Wheeler 2019): read databases, verify and write proofs.  Plain Python; imports nothing of ours."""
