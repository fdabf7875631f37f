"""A search space as small as one can be, for tests of what trains and records."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ConfigSpace import Categorical, Configuration, ConfigurationSpace
from torch import nn

from spaces.architecture.architecture import Architecture, chain
from spaces.architecture.labels import ZERO
from spaces.space import InputShape

OPERATIONS = ("convolution", "dropout", "frozen", "empty", "collapse", "diverge", ZERO)


@dataclass(frozen=True)
class TinySpace:
    """One operation between two layers, each chosen to bring about one situation."""

    channels: int = 4

    @property
    def configuration_space(self) -> ConfigurationSpace:
        """The operation."""
        return ConfigurationSpace(space=[Categorical("operation", OPERATIONS)])

    def of(self, operation: str) -> Configuration:
        """The configuration with this operation."""
        return Configuration(self.configuration_space, values={"operation": operation})

    def architecture(self, configuration: Configuration) -> Architecture:
        """Input, the operation, output."""
        return chain([configuration["operation"]])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """Convolution, normalisation, the operation, and a linear classifier."""
        operation, width = configuration["operation"], self.channels
        if operation == "empty":
            return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        stem = nn.Conv2d(input_shape[0], width, 3, padding=1, bias=False)
        head = nn.Linear(width, outputs)
        if operation == "diverge":
            nn.init.constant_(head.weight, math.inf)
        network = nn.Sequential(
            stem,
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Dropout(0.3) if operation == "dropout" else nn.Identity(),
            nn.MaxPool2d(64) if operation == "collapse" else nn.Identity(),
            nn.Conv2d(width, width, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            head,
        )
        if operation == "frozen":
            network.requires_grad_(False)
            network.register_parameter("unused", nn.Parameter(stem.weight.detach().clone()))
        return network
