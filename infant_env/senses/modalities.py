"""The names of the senses as modalities of the map: m1 and m2 of the paper."""

VISION = "vision"
PROPRIOCEPTION = "proprioception"
