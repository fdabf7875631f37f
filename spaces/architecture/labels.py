"""Labels with a meaning of their own in every architecture, and the names of edges."""

from __future__ import annotations

INPUT = "input"
OUTPUT = "output"
IDENTITY = "identity"
ZERO = "zero"
CONCAT = "concat"

RESERVED = frozenset({INPUT, OUTPUT, CONCAT, ZERO, IDENTITY})
"""Labels that every architecture understands; all others are opaque."""


def edge_name(edge: tuple[int, int]) -> str:
    """Return the hyperparameter name of an edge (source, target)."""
    return f"edge_{edge[0]}_{edge[1]}"
