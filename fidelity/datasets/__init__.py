"""Data sets: each is a function that returns a `Dataset`, one per file."""

from fidelity.datasets.arrays import from_arrays
from fidelity.datasets.cifar10 import cifar10
from fidelity.datasets.digits import digits
from fidelity.datasets.fashion_mnist import fashion_mnist
from fidelity.datasets.frames import from_frame
from fidelity.datasets.mnist1d import mnist1d
from fidelity.datasets.splits import ByGroup, ByTime, Fixed, Split, Stratified
from fidelity.datasets.torch_datasets import from_torch

__all__ = [
    "ByGroup",
    "ByTime",
    "Fixed",
    "Split",
    "Stratified",
    "cifar10",
    "digits",
    "fashion_mnist",
    "from_arrays",
    "from_frame",
    "from_torch",
    "mnist1d",
]
