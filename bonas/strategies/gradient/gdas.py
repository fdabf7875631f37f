"""GDAS: one sampled operation per edge, with the gradient of a softmax."""

from __future__ import annotations

from dataclasses import dataclass, field

from bonas.strategies.gradient.bilevel import Bilevel
from bonas.strategies.gradient.gradient_search import (
    GradientSearch,
    TrainedSupernet,
    train_supernet,
)
from bonas.strategies.gradient.hypergradient import FirstOrder
from bonas.strategies.gradient.relaxation import HardGumbel
from spaces.space import Space


@dataclass(frozen=True)
class GDAS(GradientSearch):
    """Gradient-based search with differentiable sampling (Dong & Yang 2019).

    Like `DARTS`, but each step computes one randomly drawn operation per edge, so it costs as
    much as the training of one network, and the discretised cells are the trained ones.

    A historical baseline: among random networks it ended at ranks of 0.45 and 0.17 on MNIST-1D
    cells and 0.43 on digits (0 is the best; two seeds and one), see
    benchmarks/results/gradient_search.md. Use `DrNAS`.

    Attributes:
        bilevel: data, optimisers, epochs and seed.
        sampling: the temperatures.
    """

    bilevel: Bilevel
    sampling: HardGumbel = field(default_factory=HardGumbel)

    def train(self, space: Space) -> TrainedSupernet:
        """See `GradientSearch.train`."""
        return train_supernet(self.bilevel, space, self.sampling, FirstOrder())
