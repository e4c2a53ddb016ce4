"""The methods that the SOM-AE is compared with, one per file."""
