"""Every method, seed and choice: Table 1, the comparison, ablations, trials."""
