"""Comparisons of methods, seeds and settings: Table 1, the comparison, ablations, trials."""
