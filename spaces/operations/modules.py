"""Torch modules that operations and layers build."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Zero(nn.Module):
    """Zeros in the shape of the operation that they stand for.

    Args:
        channels: of the zeros.
        stride: of the zeros.
    """

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.channels = channels
        self.stride = stride

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Tensor:
        """Return strided zeros."""
        x = x[:, :1, :: self.stride, :: self.stride]
        return torch.zeros_like(x).expand(-1, self.channels, -1, -1)


class AtLeast(nn.Module):
    """Zero padding, right and below, to the smallest size that a kernel can read.

    Args:
        height: of the kernel.
        width: of the kernel.
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height = height
        self.width = width

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Tensor:
        """Return the image itself where it is large enough."""
        below, right = self.height - x.shape[-2], self.width - x.shape[-1]
        if below <= 0 and right <= 0:
            return x
        return nn.functional.pad(x, (0, max(right, 0), 0, max(below, 0)))


class FactorizedReduction(nn.Module):
    """Two strided 1x1 convolutions, one pixel apart, that halve the resolution.

    Args:
        channels_in: of the image.
        channels_out: of the result; each convolution makes half of them.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        half = channels_out // 2
        self.even = nn.Conv2d(channels_in, half, 1, 2, bias=False)
        self.odd = nn.Conv2d(channels_in, channels_out - half, 1, 2, bias=False)
        self.norm = nn.BatchNorm2d(channels_out)

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch channels_out half_height half_width"]:
        """Concatenate and normalise both."""
        # Of odd sizes the second convolution would see one row less.
        shifted = nn.functional.pad(x, (0, x.shape[-1] % 2, 0, x.shape[-2] % 2))[:, :, 1:, 1:]
        result: Tensor = self.norm(torch.cat([self.even(x), self.odd(shifted)], dim=1))
        return result


class FirstChannels(nn.Module):
    """The first channels of an image.

    Args:
        channels: the number of them.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(
        self, x: Float[Tensor, "batch channels height width"]
    ) -> Float[Tensor, "batch kept height width"]:
        """Return a view."""
        return x[:, : self.channels]
