from .one_shot import Inherited, OneShot, UniformPaths
from .one_shot_then import OneShotThen

__all__ = [
    "Inherited",
    "OneShot",
    "OneShotThen",
    "UniformPaths",
]
