"""Transformers for images, signals and sequences of tokens."""
