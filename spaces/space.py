"""What a search space is, and the few things that can be done with any ConfigSpace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from ConfigSpace import CategoricalHyperparameter, Configuration, ConfigurationSpace

from spaces.architecture.architecture import Architecture
from spaces.configurations.activation import Activation
from spaces.configurations.plain import vector_entry, written_value

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
    """Draw `size` valid configurations at random, from `rng` and not from the space's own state.

    Where a condition joins several parents of which some may be inactive, ConfigSpace draws
    configurations that its own check refuses; these are repaired.
    """
    own = space.random
    space.random = np.random.RandomState(rng.integers(2**32))
    found: list[Configuration] = []
    try:
        while len(found) < size:
            # ConfigSpace returns one bare configuration for size 1.
            drawn = space.sample_configuration(max(size - len(found), 2))
            repaired = (repair(configuration, rng) for configuration in drawn)
            found += [configuration for configuration in repaired if configuration is not None]
        return found[:size]
    finally:
        space.random = own


def repair(configuration: Configuration, rng: np.random.Generator) -> Configuration | None:
    """Make a configuration valid: inactive choices lose their values, active ones get one.

    Args:
        configuration: is returned itself if it is valid.
        rng: draws what has to become active.

    Returns:
        None if a clause forbids it.
    """
    space = configuration.config_space
    if not space.conditions and not space.forbidden_clauses:
        return configuration
    try:
        configuration.check_valid_configuration()
    except ValueError:
        vector = configuration.get_array().copy()
        return Activation(space).repair(vector, rng, range(len(vector)))
    return configuration


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
    """Return the active hyperparameters as Python values; numbers of numpy become plain ones."""
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in configuration.items()
    }


def record(configuration: Configuration) -> dict[str, Any]:
    """Return the active hyperparameters as plain JSON values, which `configuration` reads."""
    space = configuration.config_space
    return {name: written_value(space[name], value) for name, value in configuration.items()}


def configuration(space: ConfigurationSpace, values: Mapping[str, Any]) -> Configuration:
    """Return the configuration with these values, or with what `record` wrote of them.

    Raises:
        SpaceError: a value is missing, unknown, illegal, or belongs to an inactive choice.
    """
    try:
        if unknown := values.keys() - space.keys():
            raise ValueError(f"it has no {', '.join(sorted(map(str, unknown)))}")
        vector = np.full(len(space), np.nan)
        for name, value in values.items():
            vector[space.index_of[name]] = vector_entry(space[name], value)
        found = Configuration(space, vector=vector)
        found.check_valid_configuration()
        return found
    except (ValueError, KeyError, TypeError) as error:
        raise SpaceError(f"{dict(values)} is not a configuration of this space: {error}") from error


def recorded(
    space: ConfigurationSpace, chosen: Configuration, rng: np.random.Generator
) -> Configuration:
    """Return the valid configuration of `space` that is read back when `chosen` is recorded.

    Args:
        space: of which it is to be a configuration.
        chosen: returned itself if it is what would be read back.
        rng: repairs what breaks a condition, and draws another one if that is forbidden.

    Raises:
        SpaceError: it has values that `space` does not know.
    """
    valid = repair(chosen, rng) or sample(chosen.config_space, 1, rng)[0]
    try:
        read = configuration(space, record(valid))
    except IndexError as error:
        raise SpaceError(f"{chosen.get_array()} is no vector of this space: {error}") from error
    # A real number is written with 13 decimals, so that it may differ slightly.
    same = np.array_equal(read.get_array(), valid.get_array(), equal_nan=True)
    return valid if same and valid.config_space is space else read
