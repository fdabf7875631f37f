"""The normalisation of images: each channel to mean 0 and variance 1 over the training part."""

from __future__ import annotations

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from fidelity.augment import Images

PerChannel = Float[Tensor, "1 channels 1 1"]

CHUNK = 4096
"""Images converted to double precision at a time: a copy of all would take much memory."""


def normalise(images: Images, mean: PerChannel, scale: PerChannel) -> Images:
    """Return (images - mean) * scale in the precision of `scale`.

    Args:
        images: whole numbers, or floating-point numbers of single or double precision.
        mean: of each channel.
        scale: one over the standard deviation of each channel.
    """
    normal = (images - mean) * scale
    return normal if normal.dtype is scale.dtype else normal.to(scale.dtype)


def channel_statistics(
    images: Shaped[Tensor, "images channels height width"],
) -> tuple[PerChannel, PerChannel]:
    """Return the mean of each channel and one over its standard deviation, as `normalise` takes.

    Differences from the first pixel are summed: squares of values far from 0 would cancel, and a
    constant channel would seem to vary. The scale of a constant channel is 1.
    """
    origin = images[:1, :, :1, :1].double()
    total, squares = torch.zeros_like(origin), torch.zeros_like(origin)
    for chunk in images.split(CHUNK):
        values = chunk.double() - origin
        total += values.sum((0, 2, 3), keepdim=True)
        squares += values.square().sum((0, 2, 3), keepdim=True)
    count = images.numel() / images.shape[1]
    mean = total / count
    deviation = (squares / count - mean.square()).clamp(min=0).sqrt().float()
    return (origin + mean).float(), torch.where(deviation > 0, 1 / deviation, 1.0)
