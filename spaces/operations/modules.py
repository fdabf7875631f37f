"""Torch modules that operations and layers build."""

from __future__ import annotations

from collections.abc import Sequence

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

    def forward(self, x: Float[Tensor, "batch channels *size"]) -> Tensor:
        """Return strided zeros."""
        sides = x.ndim - 2
        x = x[(slice(None), slice(1), *[slice(None, None, self.stride)] * sides)]
        return torch.zeros_like(x).expand(-1, self.channels, *[-1] * sides)


class AtLeast(nn.Module):
    """Zero padding, right and below, to the smallest size that a kernel can read.

    Args:
        height: of the kernel; a signal has none.
        width: of the kernel.
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.height = height
        self.width = width

    def forward(self, x: Float[Tensor, "batch channels *size"]) -> Tensor:
        """Return the image itself where it is large enough."""
        smallest = (self.height, self.width)[4 - x.ndim :]
        return pad_end(x, [least - side for least, side in zip(smallest, x.shape[2:], strict=True)])


def pad_end(x: Float[Tensor, "batch channels *size"], missing: Sequence[int]) -> Tensor:
    """Append zeros to the end of each side, right and below; return `x` itself if there are none.

    Args:
        x: images or signals.
        missing: the number of zeros for each side; none where it is negative.
    """
    if max(missing) <= 0:
        return x
    return nn.functional.pad(x, [n for side in reversed(missing) for n in (0, max(side, 0))])


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
        self, x: Float[Tensor, "batch channels *size"]
    ) -> Float[Tensor, "batch channels_out *half_size"]:
        """Concatenate and normalise both."""
        # Of odd sizes the second convolution would see one row less.
        sides = [side % 2 for side in x.shape[2:]]
        shifted = pad_end(x, sides)[(slice(None), slice(None), *[slice(1, None)] * len(sides))]
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
        self, x: Float[Tensor, "batch channels *size"]
    ) -> Float[Tensor, "batch kept *size"]:
        """Return a view."""
        return x[:, : self.channels]


class PaddedToMultiple(nn.Module):
    """A network of inputs whose sides are multiples of a number, for inputs of any size.

    Zeros are appended to the input, and the result is cropped to its size.

    Args:
        network: keeps the size of its input.
        multiple: the number.
    """

    def __init__(self, network: nn.Module, multiple: int) -> None:
        super().__init__()
        self.network = network
        self.multiple = multiple

    def forward(
        self, x: Float[Tensor, "batch channels *size"]
    ) -> Float[Tensor, "batch channels_out *size"]:
        """Pad, run the network, and crop."""
        sides = x.shape[2:]
        padded = pad_end(x, [-side % self.multiple for side in sides])
        result: Tensor = self.network(padded)
        return result[(slice(None), slice(None), *map(slice, sides))]
