"""Studies of a map whose samples change while it learns: one file for each, and what they share."""
