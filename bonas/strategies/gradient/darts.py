"""DARTS: a mixture of all operations, optimised by gradient descent."""

from __future__ import annotations

from dataclasses import dataclass, field

from bonas.strategies.gradient.bilevel import Bilevel
from bonas.strategies.gradient.gradient_search import (
    GradientSearch,
    TrainedSupernet,
    train_supernet,
)
from bonas.strategies.gradient.hypergradient import FirstOrder, Hypergradient
from bonas.strategies.gradient.relaxation import Softmax
from spaces.space import Space


@dataclass(frozen=True)
class DARTS(GradientSearch):
    """Differentiable architecture search (Liu et al. 2019), on any space with weight sharing.

    The operation `none` takes part in the mixture and not in the discretisation, as published.
    Every other operation is mixed as the space defines it; the authors' code also normalises
    pooling, without which, as in NAS-Bench-201, its scale differs from that of a convolution. A
    space whose pooling operation is followed by batch normalisation is searched like theirs.

    A historical baseline: among random networks the best of three proposals ended at a median rank
    below 0.01 on MNIST-1D cells, but of 0.26 on digits, between 0.04 and 0.77 (0 is the best; five
    seeds each), see benchmarks/results/gradient_search.md. Use `DrNAS`.

    Attributes:
        bilevel: data, optimisers, epochs and seed.
        hypergradient: `FirstOrder()`, or `SecondOrder()` for about three times the time.
    """

    bilevel: Bilevel
    hypergradient: Hypergradient = field(default_factory=FirstOrder)

    def train(self, space: Space) -> TrainedSupernet:
        """See `GradientSearch.train`."""
        return train_supernet(self.bilevel, space, Softmax(), self.hypergradient)
