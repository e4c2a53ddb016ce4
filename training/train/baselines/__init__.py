"""Training what the SOM-AE is compared with."""
