from .one_shot import Inherited, OneShot
from .one_shot_then import OneShotThen
from .paths import Paths, SampledPaths, Sandwich, Uniform

__all__ = [
    "Inherited",
    "OneShot",
    "OneShotThen",
    "Paths",
    "SampledPaths",
    "Sandwich",
    "Uniform",
]
