"""Recordings that can be imported: their poses, and their frames on request; one file for each kind."""
