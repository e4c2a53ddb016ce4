"""An arm that is seen elsewhere than it is felt: what is shown in its place, and how the picture gets it."""
