from .anytime import anytime
from .architecture import architecture
from .canziani import Bubble, canziani, named_networks
from .critical_difference import critical_difference
from .mean_rank import mean_rank
from .space_tree import space_tree

__all__ = [
    "Bubble",
    "anytime",
    "architecture",
    "canziani",
    "critical_difference",
    "mean_rank",
    "named_networks",
    "space_tree",
]
