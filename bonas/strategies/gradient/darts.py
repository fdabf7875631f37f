"""DARTS: a mixture of all operations, optimised by gradient descent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from bonas.strategies.gradient.bilevel import Bilevel, Found
from bonas.strategies.gradient.hypergradient import FirstOrder, Hypergradient
from bonas.strategies.gradient.search_trace import Trace
from bonas.strategies.remembered import remembered
from fidelity.history.history import History
from spaces.space import Space

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from spaces.weight_sharing import Active


@dataclass(frozen=True)
class Softmax:
    """Each edge is the sum of its operations, weighted by a softmax: a `Relaxation`."""

    def __call__(
        self,
        parameters: Float[Tensor, "edges operations"],
        progress: float,
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, "edges operations"], Active | None]:
        """Equation 2 of Liu et al. (2019)."""
        return parameters.softmax(-1), None


@dataclass(frozen=True)
class DARTS:
    """Differentiable architecture search (Liu et al. 2019), on any space with weight sharing.

    The first proposal trains a supernet, which takes minutes; it depends on the space and on
    these settings alone, and is kept. Proposed is the discretised cell, and after it the next
    most probable ones whose networks have not been asked for, so that any schedule goes with it.
    A search that is resumed trains the supernet again, to the same result.

    The operation `none` takes part in the mixture and not in the discretisation, as published.
    Every other operation is mixed as the space defines it; the authors' code also normalises
    pooling, without which, as in NAS-Bench-201, it has another scale than a convolution. A space
    whose pooling operation is followed by batch normalisation is searched like theirs.

    Attributes:
        bilevel: data, optimisers, epochs and seed.
        hypergradient: `FirstOrder()`, or `SecondOrder()` for about three times the time.
    """

    bilevel: Bilevel
    hypergradient: Hypergradient = field(default_factory=FirstOrder)
    _kept: list[Found] = field(default_factory=list, init=False, repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`.

        Raises:
            Exhausted: every configuration without `none` was asked for.
            SpaceError: the space has no weight sharing.
            Diverged: a loss of the supernet is no finite number.
        """
        return self.found(space).next_unasked(history)

    def found(self, space: Space) -> Found:
        """The trained supernet of `space`, and the course of its search."""
        return remembered(
            self._kept, space, lambda: self.bilevel.run(space, Softmax(), self.hypergradient)
        )

    def trace(self, space: Space) -> Trace:
        """The architecture parameters over the epochs; trains the supernet if need be."""
        return self.found(space).trace
