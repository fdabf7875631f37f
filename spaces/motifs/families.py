"""Families of residual blocks, and plain ones.

He et al. (2016), "Deep residual learning"; Xie et al. (2017), "Aggregated residual
transformations"; Sandler et al. (2018), "MobileNetV2".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spaces.motifs.layers import Activation, Convolution, Relu
from spaces.motifs.plan import Draft, Plan

Choices = Mapping[str, Any]
Block = Callable[[int, int, Choices], Plan]
"""A function (channels_in, position, choices) that plans a block: the channels of its input, its
position in its stage from 0, and the values of its choices by name."""

WIDTHS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 320, 384, 512)
KERNELS = (3, 5, 7)


@dataclass(frozen=True)
class Family:
    """Blocks of one kind and their choices.

    Attributes:
        make: plans a block.
        shared: choices that a whole stage makes once, by name; ascending numbers are ordinal.
        own: choices that each block makes, by name.
    """

    make: Block
    shared: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    own: Mapping[str, Sequence[Any]] = field(default_factory=dict)


def _stride(position: int, choices: Choices) -> int:
    """Return the stride, which only the first block of a stage has."""
    return int(choices["stride"]) if position == 0 else 1


def _residual(channels_in: int, branch: Sequence[Convolution], stride: int) -> Plan:
    """Plan relu(x + branch(x)), with a strided 1x1 convolution of x where the shape changes."""
    draft = Draft(channels_in)
    width = branch[-1].width
    shortcut = 0
    if channels_in != width or stride != 1:
        projection = Convolution(width, (1, 1), stride, activation="none")
        shortcut = draft.add(projection, 0, name="shortcut")
    return draft.finish(draft.add(Relu(), draft.chain(branch, 0), shortcut))


def plain(channels_in: int, position: int, choices: Choices) -> Plan:
    """See `Block`: one convolution; the choices are width, kernel and stride."""
    draft = Draft(channels_in)
    size = int(choices["kernel"])
    stride = _stride(position, choices)
    return draft.finish(draft.add(Convolution(choices["width"], (size, size), stride), 0))


def basic(channels_in: int, position: int, choices: Choices) -> Plan:
    """See `Block`: two convolutions and a shortcut (ResNet-18)."""
    width, size = int(choices["width"]), int(choices["kernel"])
    stride = _stride(position, choices)
    branch = [
        Convolution(width, (size, size), stride),
        Convolution(width, (size, size), activation="none"),
    ]
    return _residual(channels_in, branch, stride)


def _bottleneck(
    channels_in: int, inner: int, width: int, size: int, stride: int, groups: int
) -> Plan:
    branch = [
        Convolution(inner, (1, 1)),
        Convolution(inner, (size, size), stride, groups=groups),
        Convolution(width, (1, 1), activation="none"),
    ]
    return _residual(channels_in, branch, stride)


def bottleneck(channels_in: int, position: int, choices: Choices) -> Plan:
    """See `Block`: 1x1, kernel, 1x1 (ResNet-50); `expansion` is output width over inner width."""
    width, stride = int(choices["width"]), _stride(position, choices)
    size, expansion = int(choices["kernel"]), int(choices["expansion"])
    return _bottleneck(channels_in, width, width * expansion, size, stride, groups=1)


def aggregated(channels_in: int, position: int, choices: Choices) -> Plan:
    """See `Block`: a bottleneck of `cardinality` paths, each `group_width` wide (ResNeXt)."""
    cardinality, stride = int(choices["cardinality"]), _stride(position, choices)
    width = int(choices["width"]) * int(choices["expansion"])
    inner = cardinality * int(choices["group_width"])
    return _bottleneck(channels_in, inner, width, int(choices["kernel"]), stride, cardinality)


def inverted(channels_in: int, position: int, choices: Choices) -> Plan:
    """See `Block`: expand, depthwise convolution, project; a shortcut where it fits."""
    return inverted_residual(
        channels_in,
        int(choices["width"]),
        _stride(position, choices),
        int(choices["kernel"]),
        int(choices["expansion"]),
        skip=choices.get("skip", "yes") == "yes",
    )


def inverted_residual(
    channels_in: int,
    width: int,
    stride: int,
    kernel: int,
    expansion: int,
    *,
    skip: bool = True,
    activation: Activation = "relu6",
) -> Plan:
    """Plan the block of MobileNetV2.

    Args:
        channels_in: of the input.
        width: channels out.
        stride: of the depthwise convolution.
        kernel: of the depthwise convolution.
        expansion: the width of the middle over that of the input; 1 has no first convolution.
        skip: add the input where the shape is kept.
        activation: after the first two convolutions; the last has none.
    """
    hidden = channels_in * expansion
    size = (kernel, kernel)
    draft = Draft(channels_in)
    node = 0
    if expansion > 1:
        expansion_layer = Convolution(hidden, (1, 1), activation=activation)
        node = draft.add(expansion_layer, node, name="expand")
    depthwise = Convolution(hidden, size, stride, groups=hidden, activation=activation)
    node = draft.add(depthwise, node, name="depthwise")
    node = draft.add(Convolution(width, (1, 1), activation="none"), node, name="project")
    kept = skip and channels_in == width and stride == 1
    return draft.finish(node, 0) if kept else draft.finish(node)


_SHARED = {"width": WIDTHS, "stride": (1, 2)}
_KERNEL = {"kernel": KERNELS}

PLAIN = Family(plain, _SHARED, _KERNEL)
BASIC = Family(basic, _SHARED, _KERNEL)
BOTTLENECK = Family(bottleneck, {**_SHARED, "expansion": (1, 2, 4)}, _KERNEL)
AGGREGATED = Family(
    aggregated,
    {
        **_SHARED,
        "expansion": (1, 2, 4),
        "cardinality": (2, 4, 8, 16, 32),
        "group_width": (4, 8, 16, 32),
    },
    _KERNEL,
)
INVERTED = Family(inverted, _SHARED, {**_KERNEL, "expansion": (1, 3, 4, 6)})
