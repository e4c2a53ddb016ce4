"""Tools of the trainings: an optimizer, and pictures of a disturbed world."""
