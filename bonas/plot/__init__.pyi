from .anytime import anytime
from .architecture import architecture
from .canziani import Bubble, canziani, named_networks
from .space_tree import space_tree

__all__ = ["Bubble", "anytime", "architecture", "canziani", "named_networks", "space_tree"]
