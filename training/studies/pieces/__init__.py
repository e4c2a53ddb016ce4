"""What several studies use: the eye with a displaced arm, readouts, targets, and ways to go on learning."""
