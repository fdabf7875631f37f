"""Augmentations of whole batches, on the device where the images are.

An augmentation is a callable (images, generator) -> images, for instance a function or a frozen
dataclass. All randomness comes from the generator, so that a resumed training draws the same
numbers as an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from jaxtyping import Float, Shaped
from torch import Tensor

Images = Float[Tensor, "batch channels height width"]

Inputs = Shaped[Tensor, "batch ..."]
"""Images, signals (batch, channels, length), tables (batch, features), or int64 tokens."""


class Augmentation(Protocol):
    """A random change of inputs that keeps their targets."""

    def __call__(self, inputs: Inputs, generator: torch.Generator, /) -> Inputs:
        """Return changed inputs, of the same shape, type and device.

        Args:
            inputs: a batch in the data set's own scale.
            generator: the source of randomness, on the inputs' device.
        """
        ...


@dataclass(frozen=True)
class PadCrop:
    """Padding with `padding` zeros on every side, and a random crop to the original size.

    Axes of length 1 are not shifted, which would blank the image.
    """

    padding: int

    def __call__(self, images: Images, generator: torch.Generator) -> Images:
        """Shift each image by up to `padding` pixels either way."""
        batch, _, height, width = images.shape
        vertical, horizontal = (self.padding if size > 1 else 0 for size in (height, width))
        padded = F.pad(images, (horizontal, horizontal, vertical, vertical))
        device = images.device
        rows, columns = (
            torch.randint(2 * pad + 1, (batch, 1), generator=generator, device=device)
            + torch.arange(size, device=device)
            for pad, size in ((vertical, height), (horizontal, width))
        )
        index = torch.arange(batch, device=device)[:, None, None]
        # The slice between the indices puts the channels last, the layout that convolutions prefer.
        cropped = padded[index, :, rows[:, :, None], columns[:, None, :]]
        return cropped.permute(0, 3, 1, 2)


@dataclass(frozen=True)
class HorizontalFlip:
    """Mirroring of each image with this probability."""

    probability: float = 0.5

    def __call__(self, images: Images, generator: torch.Generator) -> Images:
        """Mirror some images, left to right."""
        draws = torch.rand(len(images), generator=generator, device=images.device)
        return torch.where((draws < self.probability)[:, None, None, None], images.flip(3), images)


def as_tuple(augmentations: Sequence[Augmentation]) -> tuple[Augmentation, ...]:
    """Return the augmentations as a tuple, after a check.

    Raises:
        TypeError: they are no sequence of callables, or one is a class in place of an object.
    """
    if isinstance(augmentations, str) or not isinstance(augmentations, Sequence):
        raise TypeError(
            f"augment is {augmentations!r}: expected a tuple of augmentations, for instance "
            "(PadCrop(4), HorizontalFlip())"
        )
    for augmentation in augmentations:
        if isinstance(augmentation, type) or not callable(augmentation):
            raise TypeError(
                f"augment holds {augmentation!r}: expected an object that is called with images "
                "and a generator, for instance PadCrop(4)"
            )
    return tuple(augmentations)
