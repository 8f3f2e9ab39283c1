"""What a run leaves for people: tables, curves, sample exchanges."""
