"""The `Space` protocol, and the few things that can be done with any ConfigSpace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from ConfigSpace import (
    CategoricalHyperparameter,
    Configuration,
    ConfigurationSpace,
    OrdinalHyperparameter,
)

from spaces.architecture.architecture import Architecture
from spaces.configurations.active_choices import Activation
from spaces.configurations.json_values import vector_entry, written_value

if TYPE_CHECKING:
    from torch import nn

InputShape = tuple[int, ...]
"""The shape of one input: (channels, height, width) of an image, (channels, length) of a signal,
(features,) of a row of a table, (length,) of a sequence of tokens."""

NETWORK_METHODS = ("architecture", "build")
"""The methods of a `Space` beyond its configurations; not every search needs them."""


class SpaceError(ValueError):
    """An impossible search space; the message says what is wrong and how to mend it."""


@runtime_checkable
class Space(Protocol):
    """A set of architectures, encoded as configurations of a ConfigSpace.

    A space may lack `build` or `architecture`, or name them in an attribute `lacks`: see `require`.
    """

    @property
    def configuration_space(self) -> ConfigurationSpace:
        """The choices, hierarchical through conditions; every sample is a valid architecture."""
        ...

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return the graph that `configuration` stands for."""
        ...

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """Return the network of `configuration`, initialised from torch's current seed.

        Args:
            configuration: a configuration of `configuration_space`.
            input_shape: of one input, see `InputShape`; a space says which it can read.
            outputs: the number of classes, or of other outputs.

        Returns:
            A module from inputs (batch, *input_shape) to logits (batch, outputs), or to logits
            per pixel or token where the space says so.
        """
        ...


def provides(space: object, method: str) -> bool:
    """Return whether a space can do what a method promises.

    Args:
        space: any space; one that only passes calls on names in its attribute `lacks` the methods
            that its inner space lacks.
        method: 'architecture' or 'build'.
    """
    return callable(getattr(space, method, None)) and method not in getattr(space, "lacks", ())


def require(space: object, method: str, purpose: str) -> None:
    """Verify that a space provides the method that something needs.

    Args:
        space: any space.
        method: 'architecture' or 'build'.
        purpose: what needs it, for the message: "to train networks".

    Raises:
        SpaceError: the space does not provide the method.
    """
    if not provides(space, method):
        raise missing_method(space, method, purpose)


def missing_method(space: object, method: str, purpose: str) -> SpaceError:
    """Return the error that `require` raises.

    Args:
        space: the space that lacks the method.
        method: 'architecture' or 'build'.
        purpose: what needs it, for the message.
    """
    name = type(space).__name__
    if not any(provides(space, other) for other in NETWORK_METHODS):
        name += ", a plain configuration space without networks,"
    return SpaceError(
        f"{name} has no `{method}`, which is needed {purpose}. Give the space the methods that "
        "your search needs: `architecture(configuration)` to recognise equal networks, to compare "
        "them by their graphs and to draw them; `build(configuration, input_shape, outputs)` for "
        "Training, proxies and export. A table or a function of your own needs no `build`"
    )


def sample(space: ConfigurationSpace, size: int, rng: np.random.Generator) -> list[Configuration]:
    """Draw valid configurations at random, and leave the random state of the space as it is.

    Where a condition joins several parents of which some may be inactive, ConfigSpace draws
    configurations that its own check refuses; these are repaired.

    Args:
        space: any configuration space.
        size: the number of configurations.
        rng: the only source of randomness.
    """
    own = space.random
    space.random = np.random.RandomState(rng.integers(2**32))
    valid: list[Configuration] = []
    try:
        while len(valid) < size:
            # ConfigSpace returns one bare configuration for size 1.
            drawn = space.sample_configuration(max(size - len(valid), 2))
            repaired = (repair(configuration, rng) for configuration in drawn)
            valid += [configuration for configuration in repaired if configuration is not None]
        return valid[:size]
    finally:
        space.random = own


def repair(configuration: Configuration, rng: np.random.Generator) -> Configuration | None:
    """Make a configuration valid: inactive choices lose their values, active ones get one.

    Args:
        configuration: is returned itself if it is valid.
        rng: draws the values of choices that become active.

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
    """Draw one configuration at random, from the same distribution as `sample`.

    Where all choices are categorical, independent and equally likely, their indices are drawn
    directly, which is faster than ConfigSpace, made for drawing many at once.

    Args:
        space: any configuration space.
        rng: the only source of randomness.
    """
    choices = space.values()
    if space.conditions or space.forbidden_clauses or not all(map(_uniform, choices)):
        return sample(space, 1, rng)[0]
    sizes = np.array([choice.size for choice in choices])
    return Configuration(space, vector=np.floor(rng.random(len(sizes)) * sizes))


def _uniform(choice: object) -> bool:
    return isinstance(choice, CategoricalHyperparameter) and choice.weights is None


def values(configuration: Configuration) -> dict[str, Any]:
    """Return the active hyperparameters as Python values; numpy numbers become plain ones."""
    space, vector = configuration.config_space, configuration.get_array()
    return {
        name: _plain(configuration, name, choice, number)
        for (name, choice), number in zip(space.items(), vector.tolist(), strict=True)
        if number == number  # not NaN, as an inactive choice is
    }


def _plain(configuration: Configuration, name: str, choice: object, number: float) -> Any:
    # ConfigSpace compares a number with all others of a hyperparameter, which takes longer than
    # anything that is done with the value.
    if isinstance(choice, CategoricalHyperparameter):
        value = choice.choices[int(number)]
    elif isinstance(choice, OrdinalHyperparameter):
        value = choice.sequence[int(number)]
    else:
        value = configuration[name]
    return value.item() if isinstance(value, np.generic) else value


def record(configuration: Configuration) -> dict[str, Any]:
    """Return the active hyperparameters as plain JSON values that `configuration` reads."""
    space = configuration.config_space
    return {name: written_value(space[name], value) for name, value in configuration.items()}


def configuration(space: ConfigurationSpace, values: Mapping[str, Any]) -> Configuration:
    """Return the configuration with the given values.

    Args:
        space: the space of the configuration.
        values: the active hyperparameters by name, as they are or as `record` wrote them.

    Raises:
        SpaceError: a value is missing, unknown, illegal, or belongs to an inactive choice.
    """
    try:
        if unknown := values.keys() - space.keys():
            raise ValueError(f"it has no {', '.join(sorted(map(str, unknown)))}")
        vector = np.full(len(space), np.nan)
        for name, value in values.items():
            vector[space.index_of[name]] = vector_entry(space[name], value)
        result = Configuration(space, vector=vector)
        result.check_valid_configuration()
        return result
    except (ValueError, KeyError, TypeError) as error:
        raise SpaceError(f"{dict(values)} is not a configuration of this space: {error}") from error


def recorded(
    space: ConfigurationSpace, proposal: Configuration, rng: np.random.Generator
) -> Configuration:
    """Return the valid configuration of `space` that is read back when `proposal` is recorded.

    Args:
        space: the space that records are read in.
        proposal: is returned itself if it equals what would be read back.
        rng: repairs a violated condition, and draws another configuration if that is forbidden.

    Raises:
        SpaceError: it has values that `space` does not know.
    """
    valid = repair(proposal, rng) or sample(proposal.config_space, 1, rng)[0]
    try:
        read = configuration(space, record(valid))
    except IndexError as error:
        raise SpaceError(f"{proposal.get_array()} is no vector of this space: {error}") from error
    # A real number is written with 13 decimals, so that it may differ slightly.
    same = np.array_equal(read.get_array(), valid.get_array(), equal_nan=True)
    return valid if same and valid.config_space is space else read
