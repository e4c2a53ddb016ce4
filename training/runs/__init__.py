"""What was done, and going on with it: the run's folder, devices, processes side by side."""
