"""A user's prior over good configurations (Hvarfner et al. 2022, "piBO")."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Hyperparameter,
    OrdinalHyperparameter,
)
from jaxtyping import Float

from bonas.surrogates.agreement import agreement
from bonas.surrogates.observations import Observations
from spaces.configurations.active_choices import Activation
from spaces.space import sample

if TYPE_CHECKING:
    from torch import Tensor

MIN_DENSITY = 1e-12
"""Added to every density, so that no belief excludes a value (the paper's prior floor)."""

MIN_LOG_DENSITY = -1e4
"""Replaces lower logarithms, of which minus infinity could not be summed with scores."""

RESAMPLED = 256
"""Configurations of the space from which one is drawn in proportion to a density."""

REDRAWN = 32
"""Values that a belief draws for a hyperparameter until the space admits one."""


class Belief(Protocol):
    """A prior over the best configuration."""

    def log_density(self, configuration: Configuration) -> float:
        """Return the logarithm of the density, up to a constant."""
        ...


@runtime_checkable
class Sampled(Belief, Protocol):
    """A belief that draws configurations itself; others are sampled by their densities."""

    def sample(self, space: ConfigurationSpace, rng: np.random.Generator) -> Configuration:
        """Draw a configuration of `space` from the density.

        Args:
            space: of the search.
            rng: the only source of randomness.
        """
        ...


@dataclass(frozen=True)
class SpaceBelief:
    """A prior by the distributions of a ConfigSpace: weights of choices, normal and beta numbers.

    Attributes:
        space: the distributions of hyperparameters by name; other hyperparameters do not count.
    """

    space: ConfigurationSpace

    def log_density(self, configuration: Configuration) -> float:
        """Return the sum of the hyperparameters' log densities; inactive ones do not count."""
        total, tables = 0.0, self._tables
        for name, value in configuration.items():
            if name in tables:
                total += tables[name].get(value, math.log(MIN_DENSITY))
            elif name in self.space:
                total += _log_density(self.space[name], value)
        return total

    @cached_property
    def _tables(self) -> Mapping[str, Mapping[Hashable, float]]:
        """The log density of each choice: ConfigSpace takes long to compute single ones."""
        return {
            name: {choice: _log_density(believed, choice) for choice in choices}
            for name, believed in self.space.items()
            if (choices := _choices(believed))
        }

    def sample(self, space: ConfigurationSpace, rng: np.random.Generator) -> Configuration:
        """Draw each hyperparameter from its distribution here, or from that of `space`.

        A hyperparameter is drawn from `space` if this belief has no distribution of it, or none
        that yields a value that `space` admits. Choices that the drawn conditions switch off lose
        their values, and forbidden combinations are drawn again, so the draw is exact.

        Args:
            space: of the search.
            rng: the only source of randomness.
        """
        activation = Activation(space)
        random = np.random.RandomState(rng.integers(2**32))
        for _ in range(RESAMPLED):
            vector = np.full(len(space), np.nan)
            for index, (name, choice) in enumerate(space.items()):
                if name in self.space:
                    drawn = self.space[name].sample_value(REDRAWN, seed=random)
                    legal = (value for value in drawn if choice.legal_value(value))
                    if (value := next(legal, None)) is not None:
                        vector[index] = choice.to_vector(value)
            drawn_configuration = activation.repair(vector, rng, range(len(vector)))
            if drawn_configuration is not None:
                return drawn_configuration
        return in_proportion(self, sample(space, RESAMPLED, rng), rng)


def _choices(believed: Hyperparameter[Any, Any]) -> Sequence[Hashable]:
    """Return the values of a categorical or ordinal hyperparameter; none of a number."""
    if isinstance(believed, CategoricalHyperparameter):
        return tuple(believed.choices)
    return tuple(believed.sequence) if isinstance(believed, OrdinalHyperparameter) else ()


def _log_density(believed: Hyperparameter[Any, Any], value: object) -> float:
    """Return the logarithm of the density of a value; one that is not legal has the lowest."""
    legal = believed.legal_value(value)
    density = float(believed.pdf_values(np.array([value]))[0]) if legal else 0.0
    return math.log(density + MIN_DENSITY)


def draw_believed(
    belief: Belief, space: ConfigurationSpace, rng: np.random.Generator
) -> Configuration:
    """Draw a configuration from a belief: exactly, or by importance resampling.

    Args:
        belief: draws itself if it is `Sampled`; if not, one of `RESAMPLED` configurations of the
            space is drawn in proportion to its density.
        space: of the search.
        rng: the only source of randomness.
    """
    if isinstance(belief, Sampled):
        return belief.sample(space, rng)
    return in_proportion(belief, sample(space, RESAMPLED, rng), rng)


def in_proportion(
    belief: Belief, configurations: Sequence[Configuration], rng: np.random.Generator
) -> Configuration:
    """Draw one of the configurations in proportion to the density, by the Gumbel trick.

    Args:
        belief: of the user.
        configurations: at least one.
        rng: the only source of randomness.
    """
    densities = log_densities(belief, configurations)
    return configurations[int((densities + rng.gumbel(size=len(densities))).argmax())]


def log_densities(
    belief: Belief, configurations: Sequence[Configuration]
) -> Float[np.ndarray, " m"]:
    """Return the logarithm of the density of each configuration, `MIN_LOG_DENSITY` at least.

    Args:
        belief: of the user.
        configurations: of the search space.

    Raises:
        ValueError: a logarithm is NaN or plus infinity.
    """
    densities = np.empty(len(configurations))
    for index, configuration in enumerate(configurations):
        densities[index] = belief.log_density(configuration)
        if not densities[index] < math.inf:
            raise ValueError(
                f"the belief's log_density of {dict(configuration)} is {densities[index]}: return "
                "the logarithm of a finite density, -inf for none"
            )
    return np.maximum(densities, MIN_LOG_DENSITY)


def trust(belief: Belief, confidence: float, observed: Observations) -> float:
    """Return how well a belief ranks the evaluations, between 0 and 1: a factor of its power.

    It is the rank correlation of the density with the evaluations, shrunk towards 1 as if half of
    `confidence` evaluations had shown that. By the number of evaluations alone, a wrong belief
    fades too late.

    Args:
        belief: of the user.
        confidence: the number of observations that the belief is worth.
        observed: the evaluations to rank.
    """
    densities = log_densities(belief, observed.configurations)
    return agreement(densities, observed.costs, 1.0, confidence / 2)


def log_prior(
    belief: Belief, configurations: Sequence[Configuration], power: float
) -> Float[Tensor, " m"]:
    """Return what a belief adds to the logarithm of an acquisition function: piBO, equation 6.

    Args:
        belief: of the user.
        configurations: the candidates.
        power: of the density: the belief's confidence divided by the number of observations, times
            its `trust`.
    """
    import torch

    return power * torch.from_numpy(log_densities(belief, configurations))
