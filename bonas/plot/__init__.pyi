from .anytime import anytime
from .architecture import architecture
from .canziani import Bubble, canziani, named_networks
from .hypervolume import hypervolume
from .pareto import pareto
from .space_tree import space_tree

__all__ = [
    "Bubble",
    "anytime",
    "architecture",
    "canziani",
    "hypervolume",
    "named_networks",
    "pareto",
    "space_tree",
]
