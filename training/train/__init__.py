"""Training, one file a stage: networks, maps, world model, calibration."""
