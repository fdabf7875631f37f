"""Operations: functions (channels_in, channels_out, stride) -> nn.Module.

Torch is imported when an operation is built, so that spaces can be described without it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from spaces.architecture.labels import IDENTITY, ZERO
from spaces.architecture.labels import RESERVED as RESERVED
from spaces.space import SpaceError

if TYPE_CHECKING:
    from torch import nn

Operation = Callable[[int, int, int], "nn.Module"]
"""A function (channels_in, channels_out, stride) -> nn.Module."""


def label_of(name: str, operation: Operation) -> str:
    """Return the label of an operation in architectures.

    Args:
        name: the name that its space gives it.
        operation: the function; `zero` and `identity` have labels of their own.

    Raises:
        SpaceError: the name has a meaning in architectures that the operation does not have.
    """
    label = ZERO if operation is zero else IDENTITY if operation is identity else name
    if label in RESERVED and operation not in (zero, identity):
        raise SpaceError(
            f"an operation cannot be called '{name}', which has a meaning of its own in graphs: "
            "choose another name"
        )
    return label


def zero(channels_in: int, channels_out: int, stride: int) -> nn.Module:
    """Pass nothing.

    Args:
        channels_in: any number.
        channels_out: of the zeros.
        stride: of the zeros.
    """
    from spaces.operations.modules import Zero

    return Zero(channels_out, stride)


def identity(channels_in: int, channels_out: int, stride: int) -> nn.Module:
    """Pass the input; where the shape changes, a strided 1x1 convolution of it.

    Args:
        channels_in: of the input.
        channels_out: of the output.
        stride: 1 keeps the resolution.
    """
    from torch import nn

    if channels_in == channels_out and stride == 1:
        return nn.Identity()
    return relu_conv_bn(1)(channels_in, channels_out, stride)


def skip(channels_in: int, channels_out: int, stride: int) -> nn.Module:
    """Pass the input; strided, two 1x1 convolutions that each see every other pixel.

    Args:
        channels_in: of the input.
        channels_out: of the output.
        stride: 1 or 2.
    """
    from torch import nn

    from spaces.operations.modules import FactorizedReduction

    if stride == 1:
        return identity(channels_in, channels_out, stride)
    return nn.Sequential(nn.ReLU(), FactorizedReduction(channels_in, channels_out))


def relu_conv_bn(kernel: int) -> Operation:
    """Make an operation of ReLU, a convolution without bias and batch normalisation."""

    def build(channels_in: int, channels_out: int, stride: int) -> nn.Module:
        from torch import nn

        return nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(channels_out),
        )

    return build


def _widened(channels_in: int, channels_out: int, pool: nn.Module) -> nn.Module:
    """Return `pool`, after a 1x1 convolution where the channels change."""
    from torch import nn

    if channels_in == channels_out:
        return pool
    return nn.Sequential(relu_conv_bn(1)(channels_in, channels_out, 1), pool)


def average_pool(kernel: int) -> Operation:
    """Make an operation of average pooling; a 1x1 convolution first where the channels change."""

    def build(channels_in: int, channels_out: int, stride: int) -> nn.Module:
        from torch import nn

        pool = nn.AvgPool2d(kernel, stride, kernel // 2, count_include_pad=False)
        return _widened(channels_in, channels_out, pool)

    return build


def max_pool(kernel: int) -> Operation:
    """Make an operation of maximum pooling; a 1x1 convolution first where the channels change."""

    def build(channels_in: int, channels_out: int, stride: int) -> nn.Module:
        from torch import nn

        pool = nn.MaxPool2d(kernel, stride, kernel // 2)
        return _widened(channels_in, channels_out, pool)

    return build


def _depthwise_conv(channels: int, kernel: int, stride: int, dilation: int = 1) -> nn.Module:
    """Return a convolution of each channel by itself."""
    from torch import nn

    padding = dilation * (kernel // 2)
    return nn.Conv2d(
        channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False
    )


def depthwise(kernel: int) -> Operation:
    """Make an operation of ReLU, a convolution of each channel and batch normalisation."""

    def build(channels_in: int, channels_out: int, stride: int) -> nn.Module:
        from torch import nn

        if channels_in != channels_out:
            return separable(kernel)(channels_in, channels_out, stride)
        convolution = _depthwise_conv(channels_in, kernel, stride)
        return nn.Sequential(nn.ReLU(), convolution, nn.BatchNorm2d(channels_out))

    return build


def separable(kernel: int, dilation: int = 1) -> Operation:
    """Make an operation of ReLU, a separable convolution and batch normalisation.

    Args:
        kernel: height and width of the convolution of each channel.
        dilation: of that convolution.
    """

    def build(channels_in: int, channels_out: int, stride: int) -> nn.Module:
        from torch import nn

        return nn.Sequential(
            nn.ReLU(),
            _depthwise_conv(channels_in, kernel, stride, dilation),
            nn.Conv2d(channels_in, channels_out, 1, bias=False),
            nn.BatchNorm2d(channels_out),
        )

    return build


def separable_twice(kernel: int) -> Operation:
    """Make two separable convolutions, the first with the stride (Liu et al. 2019, "DARTS")."""

    def build(channels_in: int, channels_out: int, stride: int) -> nn.Module:
        from torch import nn

        return nn.Sequential(
            separable(kernel)(channels_in, channels_in, stride),
            separable(kernel)(channels_in, channels_out, 1),
        )

    return build
