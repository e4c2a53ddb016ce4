"""Sharing: a trained infant in one file, and runs and data sets at addresses elsewhere."""
