"""A search space of the smaller networks within a given, trained network."""
