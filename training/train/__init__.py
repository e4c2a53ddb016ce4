"""Training: one skeleton, one file a stage: networks, maps, world model, calibration."""
