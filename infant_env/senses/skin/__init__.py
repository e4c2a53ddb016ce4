"""The skin: its patches, how strongly each is pressed, and where on the body that is."""
