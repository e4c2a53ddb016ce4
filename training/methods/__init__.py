"""What Table 1 compares: the one registry of methods, how each is trained, and how its answers are read."""
