"""Training of the baselines: one file for each, with its own settings."""
