"""Networks for signals: the 2-D layers of a built network become 1-D layers.

Operations and layers are written once, for images. A signal (channels, length) is an image of one
row, whose kernels need no more than the row that sees it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeVar

import torch
from torch import nn

from spaces.space import InputShape, SpaceError

Network = TypeVar("Network", bound=nn.Module)

_CONVOLUTION = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation")
_NORM = ("num_features", "eps", "momentum", "affine", "track_running_stats")
COUNTERPARTS: dict[type[nn.Module], tuple[type[nn.Module], tuple[str, ...]]] = {
    nn.Conv2d: (nn.Conv1d, (*_CONVOLUTION, "groups", "padding_mode")),
    nn.ConvTranspose2d: (nn.ConvTranspose1d, (*_CONVOLUTION, "groups", "output_padding")),
    nn.BatchNorm2d: (nn.BatchNorm1d, _NORM),
    nn.InstanceNorm2d: (nn.InstanceNorm1d, _NORM),
    nn.MaxPool2d: (nn.MaxPool1d, ("kernel_size", "stride", "padding", "dilation", "ceil_mode")),
    nn.AvgPool2d: (
        nn.AvgPool1d,
        ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"),
    ),
    nn.AdaptiveAvgPool2d: (nn.AdaptiveAvgPool1d, ("output_size",)),
    nn.AdaptiveMaxPool2d: (nn.AdaptiveMaxPool1d, ("output_size",)),
    nn.Dropout2d: (nn.Dropout1d, ("p", "inplace")),
}
"""The 1-D class of each 2-D class, and the settings that both have."""


def match_dimensions(network: Network, input_shape: InputShape) -> Network:
    """Return a network of 2-D layers for inputs of any shape, for signals with 1-D layers.

    A layer keeps the last entry of each pair: its kernel, stride and padding along the width. A
    convolution keeps the middle row of its kernel times the square root of the number of rows,
    so that weights drawn with a variance of 1 / fan-in have it in 1-D too, and zeros stay zeros.

    Args:
        network: for images (batch, channels, height, width); for a signal, its layers are
            replaced in place.
        input_shape: channels, height and width of an image, or channels and length of a signal.

    Raises:
        SpaceError: the shape is another one, or a layer has no counterpart in 1-D.
    """
    match input_shape:
        case (_, _, _):
            return network
        case (_, _):
            for parent, name, layer, kind in list(_layers(network)):
                parent.add_module(name, _counterpart(layer, kind))
            return network
        case _:
            raise SpaceError(
                "the networks of this space read images (channels, height, width) or signals "
                f"(channels, length), not inputs of shape {tuple(input_shape)}: choose "
                "Perceptrons or ResidualPerceptrons for tables, SequenceSpace for tokens"
            )


def _layers(network: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module, type[nn.Module]]]:
    """Yield each 2-D layer with its parent, its name there, and its class in `COUNTERPARTS`."""
    for parent in network.modules():
        for name, child in parent.named_children():
            kind = next((base for base in type(child).__mro__ if base in COUNTERPARTS), None)
            if kind is not None:
                if type(child).forward is not kind.forward or any(child.children()):
                    raise _no_counterpart(child)
                yield parent, name, child, kind
            elif type(child).__module__.startswith("torch.nn") and "2d" in type(child).__name__:
                raise _no_counterpart(child)


def _counterpart(layer: nn.Module, kind: type[nn.Module]) -> nn.Module:
    target, names = COUNTERPARTS[kind]
    settings: dict[str, Any] = {name: _last(getattr(layer, name)) for name in names}
    if issubclass(kind, nn.Conv2d | nn.ConvTranspose2d):
        settings["bias"] = layer.bias is not None
    state = {name: _row(tensor) for name, tensor in layer.state_dict().items()}
    if not state:
        return target(**settings).train(layer.training)
    like = next(tensor for tensor in state.values() if tensor.is_floating_point())
    new = target(**settings, device=like.device, dtype=like.dtype).train(layer.training)
    new.load_state_dict(state)
    return new


def _row(tensor: torch.Tensor) -> torch.Tensor:
    """Return the middle row of a 2-D kernel, scaled; other tensors as they are."""
    if tensor.ndim != 4:
        return tensor
    rows: int = tensor.shape[2]
    return tensor[:, :, rows // 2] * math.sqrt(rows)


def _last(setting: Any) -> Any:
    return setting[-1] if isinstance(setting, tuple) else setting


def _no_counterpart(layer: nn.Module) -> SpaceError:
    return SpaceError(
        f"the layer {layer} is for images and has no counterpart for signals (channels, length): "
        f"use one of {', '.join(kind.__name__ for kind in COUNTERPARTS)}, or write the operation "
        "for inputs of both kinds"
    )
