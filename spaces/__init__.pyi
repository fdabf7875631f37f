from . import families, layers, operations, zoo
from .architecture import Architecture, ArchitectureError, Node
from .cell import CellSpace
from .cost import Cost, cost
from .cost_features import CostFeatures
from .darts import DartsSpace, darts
from .families import Family
from .hierarchical import HierarchicalSpace
from .joint import JointSpace
from .keys import Keyed, trial_key
from .library import Level, Library, Stacked, liu2018
from .macro import MacroSpace, family_of
from .motifs import Chain, Choice, Fixed, Graph, Motif, Repeat, Stage
from .node_cell import NodeCellSpace, nasbench101
from .perceptrons import Perceptrons
from .serialisation import (
    architecture_from_json,
    architecture_to_json,
    check_space,
    configuration_space_from_json,
    space_to_json,
)
from .sharing import Sharing, Supernet, supernet
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
    "CostFeatures",
    "DartsSpace",
    "Family",
    "Fixed",
    "Graph",
    "HierarchicalSpace",
    "InputShape",
    "JointSpace",
    "Keyed",
    "Level",
    "Library",
    "MacroSpace",
    "Motif",
    "Node",
    "NodeCellSpace",
    "Perceptrons",
    "Repeat",
    "Sharing",
    "Space",
    "SpaceError",
    "Stacked",
    "Stage",
    "StageSpace",
    "Supernet",
    "architecture_from_json",
    "architecture_to_json",
    "check_space",
    "configuration_space_from_json",
    "cost",
    "crossover",
    "darts",
    "families",
    "family_of",
    "layers",
    "liu2018",
    "mutate",
    "nasbench101",
    "neighbours",
    "operations",
    "space_to_json",
    "supernet",
    "trial_key",
    "zoo",
]
