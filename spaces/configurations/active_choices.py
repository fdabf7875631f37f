"""Activity of the choices of a configuration, and the repair of violated conditions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.exceptions import ForbiddenValueError
from ConfigSpace.hyperparameters import Hyperparameter
from numpy.typing import NDArray

Vector = NDArray[np.float64]


class Activation:
    """The conditions of a space: which choices are active, given the others.

    Args:
        space: any configuration space; its order puts parents first.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        self.space = space
        conditions = space.parent_conditions_of
        self.entries: list[tuple[Hyperparameter[Any, Any], list[Any]]] = [
            (hyperparameter, list(conditions[name])) for name, hyperparameter in space.items()
        ]
        self._children = space.children_of
        self._dependants: dict[int, list[int]] = {}

    def dependants(self, index: int) -> list[int]:
        """Return the choices that depend on this one, directly or not, parents first."""
        if index not in self._dependants:
            indices: set[int] = set()
            waiting = [self.space.at[index]]
            while waiting:
                for child in self._children[waiting.pop()]:
                    if (child_index := self.space.index_of[child.name]) not in indices:
                        indices.add(child_index)
                        waiting.append(child.name)
            self._dependants[index] = sorted(indices)
        return self._dependants[index]

    def changed(
        self, vector: Vector, index: int, value: float, rng: np.random.Generator
    ) -> Configuration | None:
        """Return the configuration that differs in one choice and its consequences.

        Args:
            vector: the numbers of a valid configuration; it is not changed.
            index: the position of the choice.
            value: its new value, as vectors hold it.
            rng: draws the values of choices that become active.

        Returns:
            None if a clause forbids it.
        """
        vector = vector.copy()
        vector[index] = value
        return self.repair(vector, rng, self.dependants(index))

    def repair(
        self, vector: Vector, rng: np.random.Generator, affected: Iterable[int]
    ) -> Configuration | None:
        """Return the configuration that `vector` becomes when its conditions are enforced.

        Args:
            vector: the numbers of a configuration; they are changed.
            rng: draws the values of choices that become active.
            affected: the choices to check, parents first.

        Returns:
            None if a clause forbids it.
        """
        seed, random = rng.integers(2**32), None
        for index in affected:
            hyperparameter, conditions = self.entries[index]
            if not all(c.satisfied_by_vector(vector) for c in conditions):
                vector[index] = np.nan
            elif np.isnan(vector[index]):
                random = np.random.RandomState(seed) if random is None else random
                vector[index] = hyperparameter.sample_vector(2, seed=random)[0]
        return unless_forbidden(Configuration(self.space, vector=vector))


def unless_forbidden(configuration: Configuration) -> Configuration | None:
    """Return a configuration whose conditions hold; None if a clause forbids it."""
    if configuration.config_space.forbidden_clauses:
        try:
            configuration.check_valid_configuration()
        except ForbiddenValueError:
            return None
    return configuration
