"""Optimizers of weights, as settings from which each training starts its own."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import nn


class Optimizer(Protocol):
    """Settings of an optimizer; a frozen dataclass, so that a joint space can choose its fields."""

    @property
    def learning_rate(self) -> float:
        """The learning rate at its peak."""
        ...

    def start(self, network: nn.Module) -> torch.optim.Optimizer:
        """Return an optimizer of the trainable parameters of a network."""
        ...


@dataclass(frozen=True)
class SGD:
    """Stochastic gradient descent with Nesterov momentum, fused where torch supports it.

    Attributes:
        learning_rate: at its peak.
        momentum: of past gradients, in [0, 1).
        weight_decay: of every parameter.

    Raises:
        ValueError: a number is out of range.
        TypeError: a value is no number.
    """

    learning_rate: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4

    def __post_init__(self) -> None:
        """Check the settings."""
        _check(self.learning_rate, self.weight_decay)
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum is {self.momentum}: it must be in [0, 1)")

    def start(self, network: nn.Module) -> torch.optim.Optimizer:
        """See `Optimizer.start`."""
        return _fused(
            torch.optim.SGD,
            trainable(network),
            lr=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            nesterov=self.momentum > 0,
        )


@dataclass(frozen=True)
class AdamW:
    """Adam with decoupled weight decay, fused where torch supports it.

    Source: Loshchilov and Hutter (2019), "Decoupled weight decay regularization", ICLR.

    Attributes:
        learning_rate: at its peak.
        weight_decay: of every parameter.
        beta1: of past gradients, in [0, 1).
        beta2: of their squares, in [0, 1).

    Raises:
        ValueError: a number is out of range.
        TypeError: a value is no number.
    """

    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999

    def __post_init__(self) -> None:
        """Check the settings."""
        _check(self.learning_rate, self.weight_decay)
        for name in ("beta1", "beta2"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be in [0, 1)")

    def start(self, network: nn.Module) -> torch.optim.Optimizer:
        """See `Optimizer.start`."""
        return _fused(
            torch.optim.AdamW,
            trainable(network),
            lr=self.learning_rate,
            weight_decay=self.weight_decay,
            betas=(self.beta1, self.beta2),
        )


@dataclass(frozen=True)
class TorchOptimizer:
    """Any optimizer class with the arguments of those of `torch.optim`.

    Attributes:
        kind: the class.
        learning_rate: at its peak, the argument `lr`.
        settings: further keyword arguments of the class.

    Raises:
        ValueError: the learning rate is not positive, or the class lacks an argument.
        TypeError: `kind` is no optimizer class.
    """

    kind: type[torch.optim.Optimizer]
    learning_rate: float
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Check the settings."""
        _check(self.learning_rate, 0.0)
        if not (isinstance(self.kind, type) and issubclass(self.kind, torch.optim.Optimizer)):
            raise TypeError(f"kind is {self.kind!r}: expected a class such as torch.optim.NAdam")
        known = set(inspect.signature(self.kind).parameters) - {"params", "lr"}
        if unknown := sorted(set(self.settings) - known):
            raise ValueError(
                f"{self.kind.__name__} has no argument {', '.join(unknown)}: its arguments are "
                f"{', '.join(sorted(known))}"
            )

    def start(self, network: nn.Module) -> torch.optim.Optimizer:
        """See `Optimizer.start`."""
        make: Any = self.kind
        made: torch.optim.Optimizer = make(
            trainable(network), lr=self.learning_rate, **self.settings
        )
        return made


def trainable(network: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that training changes."""
    return [parameter for parameter in network.parameters() if parameter.requires_grad]


def _fused(
    kind: Callable[..., torch.optim.Optimizer], parameters: list[nn.Parameter], **settings: Any
) -> torch.optim.Optimizer:
    """Return an optimizer of fused steps; a batched one where torch has no kernel for that."""
    try:
        return kind(parameters, fused=True, foreach=False, **settings)
    except RuntimeError:  # on this device, or in this version of torch
        return kind(parameters, fused=False, foreach=True, **settings)


def _check(learning_rate: float, weight_decay: float) -> None:
    for name, value in (("learning_rate", learning_rate), ("weight_decay", weight_decay)):
        if isinstance(value, str) or not hasattr(value, "__float__"):
            raise TypeError(f"{name} is {value!r}: expected a number")
    if not (learning_rate > 0 and math.isfinite(learning_rate)):
        raise ValueError(f"learning_rate is {learning_rate}: it must be above 0")
    if not (weight_decay >= 0 and math.isfinite(weight_decay)):
        raise ValueError(f"weight_decay is {weight_decay}: it must not be negative")
