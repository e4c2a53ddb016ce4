"""Training what the SOM-AE is compared with: one file each, with its own settings."""
