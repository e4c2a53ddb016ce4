"""Benchmarks: speed, measured as ratios in one run."""
