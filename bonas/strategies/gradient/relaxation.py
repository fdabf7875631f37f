"""Relaxations: the choice between operations made continuous."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from jaxtyping import Float

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from spaces.weight_sharing import Active


class Relaxation(Protocol):
    """Turns architecture parameters into weights of the operations of a mixture."""

    def __call__(
        self,
        parameters: Float[Tensor, "edges operations"],
        progress: float,
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, "edges operations"], Active | None]:
        """Return the weights of the operations, and which of them are computed (None: all).

        Args:
            parameters: of the architecture.
            progress: of the search, from 0 to 1.
            generator: the only source of randomness.
        """
        ...


@dataclass(frozen=True)
class Softmax:
    """Each edge is the sum of its operations, weighted by a softmax."""

    def __call__(
        self,
        parameters: Float[Tensor, "edges operations"],
        progress: float,
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, "edges operations"], Active | None]:
        """See `Relaxation`; equation 2 of Liu et al. (2019)."""
        return parameters.softmax(-1), None


@dataclass(frozen=True)
class HardGumbel:
    """Each edge is one operation, drawn by the Gumbel trick.

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
class Dirichlet:
    """Each edge is the sum of its operations, with weights drawn from a Dirichlet distribution.

    Chen et al. (2021), "DrNAS: Dirichlet neural architecture search", ICLR, equations 3 to 5: the
    concentrations are elu(parameters) + 1, and gradients flow through the draw. Draws far from
    the mean train every operation, also those that lag behind.
    """

    def __call__(
        self,
        parameters: Float[Tensor, "edges operations"],
        progress: float,
        generator: torch.Generator,
    ) -> tuple[Float[Tensor, "edges operations"], Active | None]:
        """See `Relaxation`."""
        import torch

        from fidelity.training.seeding import seeded

        # Distributions of torch draw from the global state alone.
        seed = int(torch.randint(2**31, (), device=generator.device, generator=generator))
        with seeded(parameters.device, seed):
            concentration = (torch.nn.functional.elu(parameters) + 1).clamp(min=1e-3)
            drawn: Tensor = torch.distributions.Dirichlet(concentration).rsample()
        return drawn, None
