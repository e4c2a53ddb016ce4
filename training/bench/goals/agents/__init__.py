"""The agents of the benchmark of image goals, one per file, and what they learn from."""
