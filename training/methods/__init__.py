"""The methods of Table 1: the only registry of them, how each is trained, and how its predictions are read."""
