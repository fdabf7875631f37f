from .dimensions import match_dimensions
from .operations import (
    RESERVED,
    Operation,
    average_pool,
    depthwise,
    identity,
    label_of,
    max_pool,
    relu_conv_bn,
    separable,
    separable_twice,
    skip,
    zero,
)

__all__ = [
    "RESERVED",
    "Operation",
    "average_pool",
    "depthwise",
    "identity",
    "label_of",
    "match_dimensions",
    "max_pool",
    "relu_conv_bn",
    "separable",
    "separable_twice",
    "skip",
    "zero",
]
