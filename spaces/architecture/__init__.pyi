from .architecture import LARGEST_SUM, Architecture, ArchitectureError, Node, chain
from .labels import CONCAT, IDENTITY, INPUT, OUTPUT, RESERVED, ZERO, edge_name

__all__ = [
    "CONCAT",
    "IDENTITY",
    "INPUT",
    "LARGEST_SUM",
    "OUTPUT",
    "RESERVED",
    "ZERO",
    "Architecture",
    "ArchitectureError",
    "Node",
    "chain",
    "edge_name",
]
