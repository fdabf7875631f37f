from .any_space import supernet
from .elastic import ElasticSupernet
from .protocols import (
    Active,
    SharedWeights,
    Sharing,
    Supernet,
    most_probable,
    operation_supernet,
)
from .weights import NamedSequential

__all__ = [
    "Active",
    "ElasticSupernet",
    "NamedSequential",
    "SharedWeights",
    "Sharing",
    "Supernet",
    "most_probable",
    "operation_supernet",
    "supernet",
]
