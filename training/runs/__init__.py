"""A run's folder and what was done in it; settings, devices and processes."""
