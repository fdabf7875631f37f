"""Candidates for the next evaluation: where an acquisition function is maximised."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    IntegerHyperparameter,
    OrdinalHyperparameter,
)
from ConfigSpace.util import deactivate_inactive_hyperparameters, get_one_exchange_neighbourhood

from spaces.space import sample


def size(space: ConfigurationSpace) -> float:
    """How many configurations there are, conditions left aside; infinite with a real number."""
    total = 1.0
    for hyperparameter in space.values():
        total *= len(_choices(hyperparameter)) or np.inf
    return total


def every(space: ConfigurationSpace) -> list[Configuration]:
    """All configurations of a finite space, each once.

    Raises:
        ValueError: the space has a real hyperparameter.
    """
    choices = [_choices(hyperparameter) for hyperparameter in space.values()]
    if not all(choices):
        raise ValueError("a space with a real hyperparameter has no list of configurations")
    if not space.conditions and not space.forbidden_clauses:
        return [
            Configuration(space, vector=np.array(vector, dtype=np.float64))
            for vector in itertools.product(*choices)
        ]
    found: dict[bytes, Configuration] = {}
    for vector in itertools.product(*choices):
        values = {
            name: space[name].to_value(np.float64(number))
            for name, number in zip(space, vector, strict=True)
        }
        try:
            configuration = deactivate_inactive_hyperparameters(values, space)
            configuration.check_valid_configuration()
        except ValueError:  # a forbidden combination
            continue
        found.setdefault(configuration.get_array().tobytes(), configuration)
    return list(found.values())


def _choices(hyperparameter: object) -> Sequence[float]:
    """The values of a hyperparameter as its vector holds them; empty for a real one."""
    if isinstance(hyperparameter, Constant):
        return [0.0]
    if isinstance(hyperparameter, CategoricalHyperparameter | OrdinalHyperparameter):
        return [float(i) for i in range(int(hyperparameter.size))]
    if isinstance(hyperparameter, IntegerHyperparameter) and hyperparameter.size <= 4096:
        values = np.arange(hyperparameter.lower, hyperparameter.upper + 1)
        return [float(v) for v in hyperparameter.to_vector(values)]
    return []


def neighbours(configuration: Configuration, rng: np.random.Generator) -> Iterator[Configuration]:
    """Configurations that differ in one hyperparameter (and what its change activates)."""
    return get_one_exchange_neighbourhood(configuration, seed=int(rng.integers(2**31)))


@dataclass(frozen=True)
class Candidates:
    """Everything when the space is small, else random samples and neighbours of the best.

    Attributes:
        all_below: spaces of at most so many configurations are listed completely.
        samples: how many random configurations.
        parents: of how many of the best the neighbours are added.
    """

    all_below: int = 20_000
    samples: int = 500
    parents: int = 5

    def listed(self, space: ConfigurationSpace) -> bool:
        """Whether the space is small enough to be listed completely."""
        return size(space) <= self.all_below

    def propose(
        self,
        space: ConfigurationSpace,
        best: Sequence[Configuration],
        rng: np.random.Generator,
    ) -> list[Configuration]:
        """Candidates of a space that is too large to list, not deduplicated.

        Args:
            space: where to look.
            best: what was evaluated, the best first.
            rng: draws the samples.
        """
        near = [n for parent in best[: self.parents] for n in neighbours(parent, rng)]
        return near + sample(space, self.samples, rng)
