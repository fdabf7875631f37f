"""Mixing of the examples of a batch, and so of their targets.

A mixing is a callable (inputs, generator) -> `Mixed`; the loss of an example is the same mixture of
the losses on both targets. That is the same as mixing one-hot targets in a cross-entropy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from fidelity.augment import Images, Inputs

TRIES = 128
"""Pairs of which one is accepted; for alpha = 2 each is with probability 1/6."""


@dataclass(frozen=True)
class Mixed:
    """A mixed batch.

    Attributes:
        inputs: of the same shape as before.
        partners: the position in the batch of the example that is mixed into each one.
        shares: of each example's own target in its loss; the partner's target has the rest.
    """

    inputs: Inputs
    partners: Int64[Tensor, " batch"]
    shares: Float[Tensor, " batch"]


class Mixing(Protocol):
    """A random mixing of a batch."""

    def __call__(self, inputs: Inputs, generator: torch.Generator, /) -> Mixed:
        """Return the mixed batch.

        Args:
            inputs: a batch of floating-point inputs in the data set's own scale.
            generator: the source of randomness, on the inputs' device.
        """
        ...


@dataclass(frozen=True)
class Mixup:
    """Weighted means of pairs of examples, with one weight per batch.

    Source: Zhang et al. (2018), "mixup: beyond empirical risk minimization", ICLR.

    Attributes:
        alpha: both parameters of the Beta distribution of the weight, in (0, 2].

    Raises:
        ValueError: `alpha` is out of range.
    """

    alpha: float = 0.2

    def __post_init__(self) -> None:
        """Check the settings."""
        _check(self.alpha)

    def __call__(self, inputs: Inputs, generator: torch.Generator) -> Mixed:
        """See `Mixing`."""
        partners, share = _drawn(inputs, self.alpha, generator)
        mixed = torch.lerp(inputs[partners], inputs, share)
        return Mixed(mixed, partners, share.expand(len(inputs)))


@dataclass(frozen=True)
class CutMix:
    """A random rectangle of each image is that of another one, the same for the whole batch.

    Source: Yun et al. (2019), "CutMix", ICCV.

    Attributes:
        alpha: both parameters of the Beta distribution of the share that is kept, in (0, 2].

    Raises:
        ValueError: `alpha` is out of range.
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        """Check the settings."""
        _check(self.alpha)

    def __call__(self, inputs: Images, generator: torch.Generator) -> Mixed:
        """See `Mixing`.

        Raises:
            ValueError: the inputs are no images.
        """
        if inputs.ndim != 4:
            raise ValueError(
                f"CutMix mixes images, but the inputs have the shape {tuple(inputs.shape)}: use "
                "Mixup"
            )
        partners, share = _drawn(inputs, self.alpha, generator)
        inside = torch.ones((), dtype=torch.bool, device=inputs.device)
        for axis in (2, 3):
            size = inputs.shape[axis]
            half = (1 - share).sqrt() * size / 2
            middle = torch.rand((), generator=generator, device=inputs.device) * size
            position = torch.arange(size, device=inputs.device) + 0.5
            near = (position - middle).abs() < half
            inside = inside & (near[:, None] if axis == 2 else near[None, :])
        kept = 1 - inside.float().mean()
        return Mixed(
            torch.where(inside, inputs[partners], inputs), partners, kept.expand(len(inputs))
        )


def _drawn(
    inputs: Inputs, alpha: float, generator: torch.Generator
) -> tuple[Int64[Tensor, " batch"], Float[Tensor, ""]]:
    """Return a random partner for each example, and a number from Beta(alpha, alpha)."""
    partners = torch.randperm(len(inputs), generator=generator, device=inputs.device)
    # The first of several pairs that the method of Jöhnk (1964) accepts, without a look at them.
    pairs = torch.rand(2, TRIES, generator=generator, device=inputs.device, dtype=torch.float64)
    powers = pairs ** (1 / alpha)
    totals = powers.sum(0)
    first = (totals <= 1).int().argmax()
    return partners, (powers[0, first] / totals[first].clamp(min=1e-300)).float()


def _check(alpha: float) -> None:
    if not 0 < alpha <= 2:
        raise ValueError(f"alpha is {alpha}: it must be above 0 and at most 2")
