"""Another robot's MJCF: what it holds, where a camera sees its arm, and the command that takes it as the body."""
