"""Poses on disk: the data set, collecting it, and motion that was babbled."""
