"""The normalisation of inputs: each channel to mean 0 and variance 1 over the training part."""

from __future__ import annotations

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from fidelity.augment import Inputs

PerChannel = Float[Tensor, "1 channels ..."]

CHUNK = 4096
"""Examples converted to double precision at a time: a copy of all would take much memory."""


def normalise(inputs: Inputs, mean: PerChannel, scale: PerChannel) -> Inputs:
    """Return (inputs - mean) * scale in the precision of `scale`.

    Args:
        inputs: whole numbers, or floating-point numbers of single or double precision.
        mean: of each channel.
        scale: one over the standard deviation of each channel.
    """
    normal = (inputs - mean) * scale
    return normal if normal.dtype is scale.dtype else normal.to(scale.dtype)


def channel_statistics(
    inputs: Shaped[Tensor, "examples channels ..."],
) -> tuple[PerChannel, PerChannel]:
    """Return the mean of each channel and one over its standard deviation, as `normalise` takes.

    Differences from the first value are summed: squares of values far from 0 would cancel, and a
    constant channel would seem to vary. The scale of a constant channel is 1.
    """
    others = (0, *range(2, inputs.ndim))
    origin = inputs[0].flatten(1)[:, 0] if inputs.ndim > 2 else inputs[0]
    origin = origin.double().view(1, -1, *[1] * (inputs.ndim - 2))
    total, squares = torch.zeros_like(origin), torch.zeros_like(origin)
    for chunk in inputs.split(CHUNK):
        values = chunk.double() - origin
        total += values.sum(others, keepdim=True)
        squares += values.square().sum(others, keepdim=True)
    count = inputs.numel() / inputs.shape[1]
    mean = total / count
    deviation = (squares / count - mean.square()).clamp(min=0).sqrt().float()
    return (origin + mean).float(), torch.where(deviation > 0, 1 / deviation, 1.0)
