from . import families, inception, layers
from .motifs import Chain, Choice, Fixed, Graph, Motif, Repeat, Single, Stage, graph, operations

__all__ = [
    "Chain",
    "Choice",
    "Fixed",
    "Graph",
    "Motif",
    "Repeat",
    "Single",
    "Stage",
    "families",
    "graph",
    "inception",
    "layers",
    "operations",
]
