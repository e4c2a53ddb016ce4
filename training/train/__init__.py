"""Training of networks, maps, world model and calibration: one file for each stage, and the skeleton of all."""
