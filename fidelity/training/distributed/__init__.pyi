from .distributed import Distributed
from .group import Group

__all__ = ["Distributed", "Group"]
