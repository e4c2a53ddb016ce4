"""Files of a data set: arrays that tell when they are damaged, and what lets many of them open at once."""
