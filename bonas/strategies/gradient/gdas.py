"""GDAS: one sampled operation an edge, through which gradients flow nevertheless."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from bonas.strategies.gradient.bilevel import Bilevel, Found
from bonas.strategies.gradient.hypergradient import FirstOrder
from bonas.strategies.gradient.search_trace import Trace
from bonas.strategies.remembered import remembered
from fidelity.history.history import History
from spaces.space import Space

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from spaces.weight_sharing import Active


@dataclass(frozen=True)
class HardGumbel:
    """Each edge is one operation, drawn by the Gumbel trick: a `Relaxation`.

    Dong and Yang (2019), "Searching for a robust neural architecture in four GPU hours",
    equations 3 to 7: the weight is 1 in the forward pass, and has the gradient of the softmax.

    Attributes:
        start: the temperature of that softmax at the beginning.
        end: at the end; it falls linearly.
    """

    start: float = 10.0
    end: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.end <= self.start:
            raise ValueError(
                f"the temperature goes from {self.start} to {self.end}: it must not rise, and "
                "must stay above 0"
            )

    def __call__(
        self,
        parameters: Float[Tensor, "edges operations"],
        progress: float,
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, "edges operations"], Active | None]:
        """See `Relaxation`."""
        import torch

        temperature = self.start + (self.end - self.start) * progress
        noise = -torch.empty_like(parameters).exponential_(generator=generator).log()
        soft = ((parameters.log_softmax(-1) + noise) / temperature).softmax(-1)
        chosen = soft.argmax(-1)
        hard = torch.nn.functional.one_hot(chosen, soft.shape[-1]).to(soft.dtype)
        return hard + soft - soft.detach(), [[position] for position in chosen.tolist()]


@dataclass(frozen=True)
class GDAS:
    """Gradient-based search with differentiable sampling (Dong & Yang 2019).

    Like `DARTS`, but each step computes one operation an edge, which is drawn; so it costs as
    much as the training of one network, and what is trained is what is discretised.

    Attributes:
        bilevel: data, optimisers, epochs and seed.
        sampling: the temperatures.
    """

    bilevel: Bilevel
    sampling: HardGumbel = field(default_factory=HardGumbel)
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
            self._kept, space, lambda: self.bilevel.run(space, self.sampling, FirstOrder())
        )

    def trace(self, space: Space) -> Trace:
        """The architecture parameters over the epochs; trains the supernet if need be."""
        return self.found(space).trace
