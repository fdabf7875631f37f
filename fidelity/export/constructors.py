"""The line of Python that constructs a module of `torch.nn`, with fresh weights."""

from __future__ import annotations

import inspect
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

NO_SETTINGS = ("self", "device", "dtype")

# Modules whose sizes may be written as one number if all are equal.
SQUARE = (
    _ConvNd,
    *(nn.MaxPool1d, nn.AvgPool1d, nn.AdaptiveAvgPool1d, nn.AdaptiveMaxPool1d),
    *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d),
)


def constructor(module: nn.Module) -> str | None:
    """Return the call that constructs a module: `nn.Conv2d(3, 16, 3, padding=1, bias=False)`.

    The modules of torch keep each argument under its own name; arguments at their defaults are
    left out.

    Returns:
        None if there is no such line: the module is not of `torch.nn`, has parts or hooks, or
        keeps an argument in another form.
    """
    kind = type(module)
    if getattr(nn, kind.__name__, None) is not kind or list(module.children()):
        return None
    if module._forward_hooks or module._forward_pre_hooks:
        return None
    arguments = []
    for name, parameter in inspect.signature(kind).parameters.items():
        if name in NO_SETTINGS:
            continue
        if not hasattr(module, name):
            return None
        value = _plain(module, getattr(module, name))
        default = parameter.default
        if default is inspect.Parameter.empty:
            arguments.append(repr(value))
        elif name == "bias":  # the attribute holds the weights themselves
            arguments += [] if default == (value is not None) else [f"bias={value is not None}"]
        elif isinstance(value, Tensor | nn.Module):
            return None
        elif value != default:
            arguments.append(f"{name}={value!r}")
    return f"nn.{kind.__name__}({', '.join(arguments)})"


def _plain(module: nn.Module, value: Any) -> Any:
    equal = isinstance(value, tuple) and len(set(value)) == 1
    return value[0] if equal and isinstance(module, SQUARE) else value
