"""Spaces that are written as a function: it builds a network and picks what may change."""
