"""GDAS: one sampled operation per edge, with the gradient of a softmax."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jaxtyping import Float

from bonas.strategies.gradient.bilevel import Bilevel
from bonas.strategies.gradient.gradient_search import (
    GradientSearch,
    TrainedSupernet,
    train_supernet,
)
from bonas.strategies.gradient.hypergradient import FirstOrder
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
        sampled = soft.argmax(-1)
        hard = torch.nn.functional.one_hot(sampled, soft.shape[-1]).to(soft.dtype)
        return hard + soft - soft.detach(), [[operation] for operation in sampled.tolist()]


@dataclass(frozen=True)
class GDAS(GradientSearch):
    """Gradient-based search with differentiable sampling (Dong & Yang 2019).

    Like `DARTS`, but each step computes one randomly drawn operation per edge, so it costs as
    much as the training of one network, and the discretised cells are the trained ones.

    Attributes:
        bilevel: data, optimisers, epochs and seed.
        sampling: the temperatures.
    """

    bilevel: Bilevel
    sampling: HardGumbel = field(default_factory=HardGumbel)

    def train(self, space: Space) -> TrainedSupernet:
        """See `GradientSearch.train`."""
        return train_supernet(self.bilevel, space, self.sampling, FirstOrder())
