from .architecture import (
    CONCAT,
    IDENTITY,
    INPUT,
    LARGEST_SUM,
    OUTPUT,
    ZERO,
    Architecture,
    ArchitectureError,
    Node,
    chain,
)

__all__ = [
    "CONCAT",
    "IDENTITY",
    "INPUT",
    "LARGEST_SUM",
    "OUTPUT",
    "ZERO",
    "Architecture",
    "ArchitectureError",
    "Node",
    "chain",
]
