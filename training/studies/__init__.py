"""Studies of a body that changes, each one file with a `STUDY`, and the command that runs them."""
