"""Relaxations: the choice between operations made continuous."""

from __future__ import annotations

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
