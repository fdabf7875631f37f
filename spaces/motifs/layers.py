"""Layers of convolutional networks, as plain data: a label, the channels, how to build it.

Torch is imported when a layer is built, so that architectures can be described without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from spaces.operations.operations import Operation, identity, label_of, zero

if TYPE_CHECKING:
    from torch import nn

Kernel = tuple[int, int]
Activation = Literal["none", "relu", "relu6"]


class Layer(Protocol):
    """One operation of a network; equal labels mean equal layers."""

    @property
    def label(self) -> str:
        """What the layer is, all of it: kernel, channels, stride and so on."""
        ...

    def channels(self, channels_in: int) -> int:
        """The channels of its output."""
        ...

    def build(self, channels_in: int) -> nn.Module:
        """The module, with fresh weights."""
        ...


def _activations(kind: Activation) -> list[nn.Module]:
    from torch import nn

    modules: dict[Activation, list[nn.Module]] = {
        "none": [],
        "relu": [nn.ReLU()],
        "relu6": [nn.ReLU6()],
    }
    return modules[kind]


def _fitted(module: nn.Module, kernel: Kernel, padded: bool) -> list[nn.Module]:
    """Without padding an image smaller than the kernel would have no output."""
    from spaces.operations.modules import AtLeast

    return [module] if padded or kernel == (1, 1) else [AtLeast(*kernel), module]


@dataclass(frozen=True)
class Convolution:
    """A convolution without bias, batch normalisation, an activation function.

    Attributes:
        width: channels out.
        kernel: height and width.
        stride: in both directions.
        padded: so that stride 1 keeps the size (odd kernels); else the image shrinks.
        groups: of channels; each is convolved by itself.
        activation: after the normalisation.
    """

    width: int
    kernel: Kernel = (3, 3)
    stride: int = 1
    padded: bool = True
    groups: int = 1
    activation: Activation = "relu"

    @property
    def label(self) -> str:
        """For instance `conv3x3 64 /2 relu`."""
        words = [f"conv{self.kernel[0]}x{self.kernel[1]}", str(self.width)]
        words += [f"/{self.stride}"] if self.stride > 1 else []
        words += [] if self.padded or self.kernel == (1, 1) else ["valid"]
        words += [f"groups {self.groups}"] if self.groups > 1 else []
        return " ".join(words + ([] if self.activation == "none" else [self.activation]))

    def channels(self, channels_in: int) -> int:
        """The width."""
        return self.width

    def build(self, channels_in: int) -> nn.Module:
        """Convolution, normalisation, activation."""
        from torch import nn

        padding = (self.kernel[0] // 2, self.kernel[1] // 2) if self.padded else 0
        convolution = nn.Conv2d(
            channels_in,
            self.width,
            self.kernel,
            self.stride,
            padding,
            groups=self.groups,
            bias=False,
        )
        return nn.Sequential(
            *_fitted(convolution, self.kernel, self.padded),
            nn.BatchNorm2d(self.width),
            *_activations(self.activation),
        )


@dataclass(frozen=True)
class Pool:
    """Maximum or average pooling.

    Attributes:
        kind: which; an average leaves padding out.
        kernel: height and width.
        stride: in both directions.
        padded: so that stride 1 keeps the size; else the image shrinks.
    """

    kind: Literal["max", "average"]
    kernel: int = 3
    stride: int = 1
    padded: bool = True

    @property
    def label(self) -> str:
        """For instance `max3x3 /2`."""
        words = [f"{self.kind}{self.kernel}x{self.kernel}"]
        words += [f"/{self.stride}"] if self.stride > 1 else []
        return " ".join(words + ([] if self.padded else ["valid"]))

    def channels(self, channels_in: int) -> int:
        """Those of the input."""
        return channels_in

    def build(self, channels_in: int) -> nn.Module:
        """The pooling."""
        from torch import nn

        padding = self.kernel // 2 if self.padded else 0
        pool: nn.Module = nn.MaxPool2d(self.kernel, self.stride, padding)
        if self.kind == "average":
            pool = nn.AvgPool2d(self.kernel, self.stride, padding, count_include_pad=False)
        return nn.Sequential(*_fitted(pool, (self.kernel, self.kernel), self.padded))


@dataclass(frozen=True)
class Relu:
    """max(0, x), by itself: after a sum."""

    label: str = "relu"

    def channels(self, channels_in: int) -> int:
        """Those of the input."""
        return channels_in

    def build(self, channels_in: int) -> nn.Module:
        """The function."""
        from torch import nn

        return nn.ReLU()


@dataclass(frozen=True)
class Truncation:
    """The first channels only.

    Attributes:
        width: how many.
    """

    width: int

    @property
    def label(self) -> str:
        """For instance `first 64`."""
        return f"first {self.width}"

    def channels(self, channels_in: int) -> int:
        """The width."""
        return self.width

    def build(self, channels_in: int) -> nn.Module:
        """A view."""
        from spaces.operations.modules import FirstChannels

        return FirstChannels(self.width)


@dataclass(frozen=True)
class Custom:
    """A user's operation `(channels_in, channels_out, stride) -> nn.Module` as a layer.

    Attributes:
        name: of the operation, unique in its space.
        operation: the function.
        width: channels out; None keeps those of the input.
        stride: what the function is called with.
    """

    name: str
    operation: Operation
    width: int | None = None
    stride: int = 1

    def __post_init__(self) -> None:
        label_of(self.name, self.operation)

    @property
    def label(self) -> str:
        """The name, and where the shape changes, width and stride."""
        kept = self.width is None and self.stride == 1
        if self.operation is zero or (self.operation is identity and kept):
            return label_of(self.name, self.operation)
        words = [self.name] if self.width is None else [self.name, str(self.width)]
        return " ".join(words + ([f"/{self.stride}"] if self.stride > 1 else []))

    def channels(self, channels_in: int) -> int:
        """The width."""
        return channels_in if self.width is None else self.width

    def build(self, channels_in: int) -> nn.Module:
        """Calls the operation."""
        return self.operation(channels_in, self.channels(channels_in), self.stride)
