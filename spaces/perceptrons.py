"""Multi-layer perceptrons, for tables of features and for small images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING

from ConfigSpace import (
    Categorical,
    Configuration,
    ConfigurationSpace,
    GreaterThanCondition,
    Integer,
    OrdinalHyperparameter,
)

from spaces.architecture.architecture import Architecture, chain
from spaces.display.html import Shown
from spaces.space import InputShape, SpaceError

if TYPE_CHECKING:
    from torch import nn

ACTIVATIONS: Mapping[str, str] = {"relu": "ReLU", "tanh": "Tanh", "gelu": "GELU"}
"""Activation functions by name, and the torch class of each."""


@dataclass(frozen=True, repr=False)
class Perceptrons(Shown):
    """Networks of one to `depth` hidden layers, each with its own width.

    A layer beyond the depth has no width to choose, so that equal networks have equal
    configurations.

    Attributes:
        depth: the largest number of hidden layers.
        widths: the choices for the width of a hidden layer, ascending.
        activations: the choices for the activation of all hidden layers, see `ACTIVATIONS`.

    Raises:
        SpaceError: there is no layer, width or activation to choose, or an activation is unknown.
    """

    depth: int = 3
    widths: tuple[int, ...] = (16, 32, 64, 128)
    activations: tuple[str, ...] = ("relu", "tanh")

    def __post_init__(self) -> None:
        """Check the settings."""
        if self.depth < 1:
            raise SpaceError(f"the depth is {self.depth}: a perceptron has 1 hidden layer or more")
        if not self.widths or self.widths[0] < 1 or list(self.widths) != sorted({*self.widths}):
            raise SpaceError(
                f"the widths are {self.widths}: give one or more different positive numbers, "
                "ascending, for instance (16, 32, 64)"
            )
        unknown = sorted({*self.activations} - {*ACTIVATIONS})
        if unknown or not self.activations:
            raise SpaceError(
                f"the activations are {self.activations}: give one or more of "
                f"{', '.join(ACTIVATIONS)}"
            )

    @cached_property
    def configuration_space(self) -> ConfigurationSpace:
        """The depth, the width of each layer up to it, and the activation."""
        space = ConfigurationSpace()
        space.add(Categorical("activation", list(self.activations)))
        widths = [OrdinalHyperparameter(f"width_{i}", list(self.widths)) for i in range(self.depth)]
        space.add(widths)
        if self.depth > 1:
            depth = Integer("depth", (1, self.depth))
            space.add(depth)
            space.add([GreaterThanCondition(widths[i], depth, i) for i in range(1, self.depth)])
        return space

    def _widths(self, configuration: Configuration) -> list[int]:
        depth = int(configuration["depth"]) if self.depth > 1 else 1
        return [int(configuration[f"width_{i}"]) for i in range(depth)]

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return a chain of linear layers, without the last one, which all networks have."""
        activation = configuration["activation"]
        return chain([f"linear {width} {activation}" for width in self._widths(configuration)])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`; inputs of any shape, such as (features,), are flattened."""
        from torch import nn

        from spaces.weight_sharing.weights import NamedSequential

        activation = getattr(nn, ACTIVATIONS[str(configuration["activation"])])
        layers: list[nn.Module] = [nn.Flatten()]
        size = prod(input_shape)
        for width in self._widths(configuration):
            layers += [nn.Linear(size, width), activation()]
            size = width
        # With another depth the last layer has another number.
        return NamedSequential({len(layers): "output"}, *layers, nn.Linear(size, outputs))
