"""Optimisation of weights: stochastic gradient descent under a cosine learning rate."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class CosineSGD:
    """SGD with Nesterov momentum; the learning rate rises linearly, then falls as a cosine.

    Source: Loshchilov and Hutter (2017), "SGDR", ICLR; the warm-up: Goyal et al. (2017),
    arXiv:1706.02677.

    Attributes:
        learning_rate: at its peak.
        momentum: of past gradients, in [0, 1).
        weight_decay: of every parameter.
        warm_up: the fraction of all steps in which the learning rate rises, in [0, 1).
    """

    learning_rate: float
    momentum: float
    weight_decay: float
    warm_up: float

    def __post_init__(self) -> None:
        """Check the settings.

        Raises:
            ValueError: a value is out of range.
        """
        if not (self.learning_rate > 0 and math.isfinite(self.learning_rate)):
            raise ValueError(f"learning_rate is {self.learning_rate}: it must be above 0")
        for name in ("momentum", "warm_up"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be in [0, 1)")
        if not (self.weight_decay >= 0 and math.isfinite(self.weight_decay)):
            raise ValueError(f"weight_decay is {self.weight_decay}: it must not be negative")

    def rate(self, step: int, steps: int) -> float:
        """Return the learning rate of a step.

        It depends on the position alone, so a training that stops and resumes follows the
        same curve as one that does not.

        Args:
            step: counted from 0.
            steps: of a full training run.
        """
        warm_up_steps = round(self.warm_up * steps)
        if step < warm_up_steps:
            return self.learning_rate * ((step + 1) / warm_up_steps)
        progress = (step - warm_up_steps) / (steps - warm_up_steps)
        return self.learning_rate * (1 + math.cos(math.pi * progress)) / 2

    def optimizer(self, network: nn.Module) -> torch.optim.SGD:
        """Return an optimizer of all parameters of `network`, fused where torch supports it."""
        parameters = [p for p in network.parameters() if p.requires_grad]
        try:
            return self._sgd(parameters, fused=True)
        except RuntimeError:  # no fused kernel on this device, or in this version of torch
            return self._sgd(parameters, fused=False)

    def _sgd(self, parameters: list[nn.Parameter], fused: bool) -> torch.optim.SGD:
        return torch.optim.SGD(
            parameters,
            lr=self.learning_rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            nesterov=self.momentum > 0,
            fused=fused,
            foreach=not fused,
        )
