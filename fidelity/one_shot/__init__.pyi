from .one_shot import Inherited, OneShot
from .one_shot_then import OneShotThen
from .paths import Grouped, Paths, SampledPaths, Sandwich, Uniform

__all__ = [
    "Grouped",
    "Inherited",
    "OneShot",
    "OneShotThen",
    "Paths",
    "SampledPaths",
    "Sandwich",
    "Uniform",
]
