from . import families, inception, layers
from .motifs import Chain, Choice, Fixed, Graph, Motif, Repeat, Stage, graph, operations

__all__ = [
    "Chain",
    "Choice",
    "Fixed",
    "Graph",
    "Motif",
    "Repeat",
    "Stage",
    "families",
    "graph",
    "inception",
    "layers",
    "operations",
]
