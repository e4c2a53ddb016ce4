"""Measures of quality: errors, statistics, the paper's numbers, tables of errors."""
