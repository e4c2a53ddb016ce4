"""What is sensed: the eye's camera, the preprocessing of its pictures, and the spaces of all senses."""
