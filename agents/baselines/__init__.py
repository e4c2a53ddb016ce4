"""What the SOM-AE is compared with: one file each."""
