"""The map, asked: modalities, distances, exact winners, readouts, quality."""
