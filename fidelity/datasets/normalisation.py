"""The normalisation of inputs: each channel to mean 0 and variance 1 over the training part."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

from fidelity.augment import Inputs
from fidelity.datasets.streamed import Streamed

PerChannel = Float[Tensor, "1 channels ..."]

MAX_CHUNK = 4096
MAX_CHUNK_VALUES = 2**26
"""Examples and values converted to double precision at a time: a copy of all would take too much
memory."""


def chunk_size(shape: Sequence[int]) -> int:
    """Return the number of examples to convert at a time, given the shape of all inputs."""
    return max(1, min(MAX_CHUNK, MAX_CHUNK_VALUES // max(1, math.prod(shape[1:]))))


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
    inputs: Shaped[Tensor, "examples channels ..."] | Streamed,
) -> tuple[PerChannel, PerChannel]:
    """Return the mean of each channel and one over its standard deviation, as `normalise` takes.

    Differences from the first value are summed: squares of values far from 0 would cancel, and a
    constant channel would seem to vary. The scale of a constant channel is 1.
    """
    others = (0, *range(2, inputs.ndim))
    shape = (1, -1, *[1] * (inputs.ndim - 2))
    origin: Tensor | None = None
    for chunk in inputs.split(chunk_size(inputs.shape)):
        if origin is None:
            origin = chunk[0].reshape(inputs.shape[1], -1)[:, 0].double().view(shape)
            total, squares = torch.zeros_like(origin), torch.zeros_like(origin)
        values = chunk.double() - origin
        total += values.sum(others, keepdim=True)
        squares += values.square().sum(others, keepdim=True)
    assert origin is not None
    count = inputs.numel() / inputs.shape[1]
    mean = total / count
    deviation = (squares / count - mean.square()).clamp(min=0).sqrt().float()
    return (origin + mean).float(), torch.where(deviation > 0, 1 / deviation, 1.0)
