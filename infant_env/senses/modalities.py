"""The modalities' names: m1 and m2 of the paper, and further senses."""

VISION = "vision"
PROPRIOCEPTION = "proprioception"
VISION_LEFT = "vision_left"
GAZE = "gaze"
TOUCH = "touch"
COLOR = "color"
FOVEA = "fovea"
