from .architecture import Architecture, ArchitectureError, Node
from .cell import CellSpace
from .cost import Cost, cost
from .space import InputShape, Space, SpaceError

__all__ = [
    "Architecture",
    "ArchitectureError",
    "CellSpace",
    "Cost",
    "InputShape",
    "Node",
    "Space",
    "SpaceError",
    "cost",
]
