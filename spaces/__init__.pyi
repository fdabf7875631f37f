from . import zoo
from .architecture import Architecture, ArchitectureError, Node
from .cell import CellSpace
from .cost import Cost, cost
from .darts import DartsSpace, darts
from .hierarchical import HierarchicalSpace
from .library import Level, Library, Stacked, liu2018
from .macro import MacroSpace
from .motifs import Chain, Choice, Fixed, Graph, Motif, Repeat, Stage
from .node_cell import NodeCellSpace, nasbench101
from .space import InputShape, Space, SpaceError
from .stages import StageSpace
from .variation import crossover, mutate, neighbours

__all__ = [
    "Architecture",
    "ArchitectureError",
    "CellSpace",
    "Chain",
    "Choice",
    "Cost",
    "DartsSpace",
    "Fixed",
    "Graph",
    "HierarchicalSpace",
    "InputShape",
    "Level",
    "Library",
    "MacroSpace",
    "Motif",
    "Node",
    "NodeCellSpace",
    "Repeat",
    "Space",
    "SpaceError",
    "Stacked",
    "Stage",
    "StageSpace",
    "cost",
    "crossover",
    "darts",
    "liu2018",
    "mutate",
    "nasbench101",
    "neighbours",
    "zoo",
]
