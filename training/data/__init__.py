"""Poses on disk: the data set, its collection, and babbled motion."""
