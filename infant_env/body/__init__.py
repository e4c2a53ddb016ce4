"""The bodies: an infant of 1 to 24 months, or another body from its MJCF; its servos, and what users give, checked."""
