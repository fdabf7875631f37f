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
        """A complete description of the layer: kernel, channels, stride and so on."""
        ...

    def channels(self, channels_in: int) -> int:
        """Return the channels of the output."""
        ...

    def build(self, channels_in: int) -> nn.Module:
        """Return the module, with fresh weights."""
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
    """Pad images that are smaller than the kernel, which would otherwise have no output."""
    from spaces.operations.modules import AtLeast

    return [module] if padded or kernel == (1, 1) else [AtLeast(*kernel), module]


@dataclass(frozen=True)
class Convolution:
    """A convolution without bias, batch normalisation and an activation function.

    Attributes:
        width: channels out.
        kernel: height and width.
        stride: in both directions.
        padded: keep the size at stride 1 (odd kernels); otherwise the image shrinks.
        groups: the number of groups of channels, each convolved by itself.
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
        """Return the width."""
        return self.width

    def build(self, channels_in: int) -> nn.Module:
        """Return convolution, normalisation and activation."""
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
        kind: maximum or average; an average ignores padding.
        kernel: height and width.
        stride: in both directions.
        padded: keep the size at stride 1; otherwise the image shrinks.
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
        """Return those of the input."""
        return channels_in

    def build(self, channels_in: int) -> nn.Module:
        """Return the pooling."""
        from torch import nn

        padding = self.kernel // 2 if self.padded else 0
        pool: nn.Module = nn.MaxPool2d(self.kernel, self.stride, padding)
        if self.kind == "average":
            pool = nn.AvgPool2d(self.kernel, self.stride, padding, count_include_pad=False)
        return nn.Sequential(*_fitted(pool, (self.kernel, self.kernel), self.padded))


@dataclass(frozen=True)
class Upsampling:
    """Each pixel several times, in both directions.

    Attributes:
        factor: of the height and the width.
    """

    factor: int

    @property
    def label(self) -> str:
        """For instance `upsample x2`."""
        return f"upsample x{self.factor}"

    def channels(self, channels_in: int) -> int:
        """Return those of the input."""
        return channels_in

    def build(self, channels_in: int) -> nn.Module:
        """Return the upsampling."""
        from torch import nn

        return nn.Upsample(scale_factor=self.factor, mode="nearest")


@dataclass(frozen=True)
class Relu:
    """The activation function max(0, x) as a layer, for use after a sum."""

    label: str = "relu"

    def channels(self, channels_in: int) -> int:
        """Return those of the input."""
        return channels_in

    def build(self, channels_in: int) -> nn.Module:
        """Return the function."""
        from torch import nn

        return nn.ReLU()


@dataclass(frozen=True)
class Truncation:
    """The first channels of the input.

    Attributes:
        width: the number of channels.
    """

    width: int

    @property
    def label(self) -> str:
        """For instance `first 64`."""
        return f"first {self.width}"

    def channels(self, channels_in: int) -> int:
        """Return the width."""
        return self.width

    def build(self, channels_in: int) -> nn.Module:
        """Return a module that takes a view."""
        from spaces.operations.modules import FirstChannels

        return FirstChannels(self.width)


@dataclass(frozen=True)
class Custom:
    """An operation `(channels_in, channels_out, stride) -> nn.Module` as a layer.

    Attributes:
        name: of the operation, unique in its space.
        operation: the function.
        width: channels out; None keeps those of the input.
        stride: of the operation.
    """

    name: str
    operation: Operation
    width: int | None = None
    stride: int = 1

    def __post_init__(self) -> None:
        label_of(self.name, self.operation)

    @property
    def label(self) -> str:
        """The name, with width and stride where the shape changes."""
        kept = self.width is None and self.stride == 1
        if self.operation is zero or (self.operation is identity and kept):
            return label_of(self.name, self.operation)
        words = [self.name] if self.width is None else [self.name, str(self.width)]
        return " ".join(words + ([f"/{self.stride}"] if self.stride > 1 else []))

    def channels(self, channels_in: int) -> int:
        """Return the width."""
        return channels_in if self.width is None else self.width

    def build(self, channels_in: int) -> nn.Module:
        """Call the operation."""
        return self.operation(channels_in, self.channels(channels_in), self.stride)
