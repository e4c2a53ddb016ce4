"""The modalities' names: m1 and m2 of the paper."""

VISION = "vision"
PROPRIOCEPTION = "proprioception"
