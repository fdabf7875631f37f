"""What a search space is, and the few things that can be done with any ConfigSpace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from ConfigSpace import CategoricalHyperparameter, Configuration, ConfigurationSpace

from spaces.architecture import Architecture

if TYPE_CHECKING:
    from torch import nn

InputShape = tuple[int, int, int]
"""Channels, height, width."""


class SpaceError(ValueError):
    """A search space that cannot be: its message says what is wrong and how to mend it."""


@runtime_checkable
class Space(Protocol):
    """A set of architectures, encoded as configurations of a ConfigSpace."""

    @property
    def configuration_space(self) -> ConfigurationSpace:
        """The choices, hierarchical through conditions; every sample is a valid architecture."""
        ...

    def architecture(self, configuration: Configuration) -> Architecture:
        """The graph that `configuration` stands for."""
        ...

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """The network of `configuration`, freshly initialised from torch's current seed.

        Args:
            configuration: a configuration of `configuration_space`.
            input_shape: channels, height and width of one image.
            outputs: the number of classes.

        Returns:
            A module from images (batch, channels, height, width) to logits (batch, outputs).
        """
        ...


def sample(space: ConfigurationSpace, size: int, rng: np.random.Generator) -> list[Configuration]:
    """Draws `size` configurations at random, from `rng` and not from the space's own state."""
    own = space.random
    space.random = np.random.RandomState(rng.integers(2**32))
    try:
        # ConfigSpace returns one bare configuration for size 1.
        return list(space.sample_configuration(max(size, 2)))[:size]
    finally:
        space.random = own


def draw(space: ConfigurationSpace, rng: np.random.Generator) -> Configuration:
    """Draws one configuration at random, from the same distribution as `sample`.

    Where all choices are categorical, independent and equally likely, their indices are drawn
    directly, which is quicker than ConfigSpace, made for drawing many at once.
    """
    choices = space.values()
    if space.conditions or space.forbidden_clauses or not all(map(_uniform, choices)):
        return sample(space, 1, rng)[0]
    sizes = np.array([choice.size for choice in choices])
    return Configuration(space, vector=np.floor(rng.random(len(sizes)) * sizes))


def _uniform(choice: object) -> bool:
    return isinstance(choice, CategoricalHyperparameter) and choice.weights is None


def values(configuration: Configuration) -> dict[str, Any]:
    """The active hyperparameters as plain Python values, ready for JSON."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in configuration.items()
    }


def configuration(space: ConfigurationSpace, values: Mapping[str, Any]) -> Configuration:
    """The configuration with these `values`.

    Raises:
        SpaceError: a value is missing, unknown, illegal, or belongs to an inactive choice.
    """
    try:
        return Configuration(space, values=values)
    except (ValueError, KeyError) as error:
        raise SpaceError(f"{dict(values)} is not a configuration of this space: {error}") from error
