"""Labels of modules: their class and settings, so that different modules have different labels."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from typing import Any

from torch import nn

WITHOUT_EFFECT = frozenset({"inplace", "device", "dtype"})
"""Arguments of modules that do not change what they compute."""

DIGITS = 6
"""Of a digest in a label."""


def label(module: nn.Module) -> str:
    """Return the class of a module and its settings.

    Of a module of torch these are the arguments that differ from their defaults; of any other all
    plain attributes, and the labels of its children.

    Args:
        module: one that is not looked into.
    """
    kind = type(module)
    if not kind.__module__.startswith("torch.nn."):
        return f"{kind.__name__} {digest(_inside(module))}"
    shown, complete = _arguments(module)
    settings = ", ".join(shown) or ("" if complete else module.extra_repr())
    text = f"{kind.__name__}({settings})" if settings else kind.__name__
    return text if complete else f"{text} {digest(_inside(module))}"


def _arguments(module: nn.Module) -> tuple[list[str], bool]:
    """Return the arguments of a module that differ from their defaults, and whether all are known.

    A recurrent network, for instance, passes its arguments on, so that no names can be read.
    """
    shown: list[str] = []
    complete = True
    for name, parameter in list(inspect.signature(type(module).__init__).parameters.items())[1:]:
        if name in WITHOUT_EFFECT or name.startswith("_"):
            continue
        if not hasattr(module, name):
            complete = False
            continue
        value, default = getattr(module, name), parameter.default
        if name == "bias":  # the tensor itself, or None
            value = value if isinstance(value, bool) else value is not None
        if default is inspect.Parameter.empty:
            shown.append(_setting(value))
        elif value != default and set(_sides(value)) != {default}:
            shown.append(f"{name}={_setting(value)}")
    return shown, complete


def digest(text: str) -> str:
    """Return a short stable name of a long text."""
    return f"#{hashlib.sha256(text.encode()).hexdigest()[:DIGITS]}"


def _sides(value: object) -> tuple[int, ...]:
    """Return a setting that has a number for each side of an image, such as a stride of (1, 1)."""
    numbers = isinstance(value, tuple) and all(isinstance(side, int) for side in value)
    return value if numbers else ()  # type: ignore[return-value]


def _setting(value: object) -> str:
    if sides := _sides(value):
        return "x".join(map(str, sides))
    if isinstance(value, nn.Module):
        return label(value)
    return str(plain(value))


def _inside(module: nn.Module) -> str:
    """Return everything about a module that can be told from outside its `forward`."""
    attributes = {
        name: plain(value)
        for name, value in vars(module).items()
        if not name.startswith("_") and name != "training"
    }
    weights = {name: tuple(w.shape) for name, w in module.named_parameters(recurse=False)}
    children = {name: (label(child), _inside(child)) for name, child in module.named_children()}
    kind = type(module)
    return f"{kind.__module__}.{kind.__qualname__} {attributes} {weights} {children}"


def plain(value: Any) -> Any:
    """Return a value as it is written in labels: objects become the name of their class."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return tuple(map(plain, value))
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    return getattr(value, "__qualname__", None) or getattr(value, "__name__", type(value).__name__)
