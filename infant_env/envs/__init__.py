"""The Gymnasium environments: one infant or many, and how they are shown."""
