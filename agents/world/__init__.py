"""Motion in the head: the arm's chain, its servos' response, the world model and the imagined environments."""
