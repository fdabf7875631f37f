"""Which choices of a configuration are active, and the repair of what breaks its conditions."""

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
    """Which choices are active, given the others; the space's order puts parents first."""

    def __init__(self, space: ConfigurationSpace) -> None:
        self.space = space
        conditions = space.parent_conditions_of
        self.entries: list[tuple[Hyperparameter[Any, Any], list[Any]]] = [
            (hyperparameter, list(conditions[name])) for name, hyperparameter in space.items()
        ]
        self._children = space.children_of
        self._dependants: dict[int, list[int]] = {}

    def dependants(self, index: int) -> list[int]:
        """The choices that depend on this one, directly or not, parents first."""
        if index not in self._dependants:
            found: set[int] = set()
            waiting = [self.space.at[index]]
            while waiting:
                for child in self._children[waiting.pop()]:
                    if (place := self.space.index_of[child.name]) not in found:
                        found.add(place)
                        waiting.append(child.name)
            self._dependants[index] = sorted(found)
        return self._dependants[index]

    def repair(
        self, vector: Vector, rng: np.random.Generator, affected: Iterable[int]
    ) -> Configuration | None:
        """The configuration that `vector` becomes; None if a clause forbids it.

        Args:
            vector: its numbers, which are changed.
            rng: draws what becomes active.
            affected: the choices to look at, parents first.
        """
        seed, random = rng.integers(2**32), None
        for index in affected:
            hyperparameter, conditions = self.entries[index]
            if not all(c.satisfied_by_vector(vector) for c in conditions):
                vector[index] = np.nan
            elif np.isnan(vector[index]):
                random = np.random.RandomState(seed) if random is None else random
                vector[index] = hyperparameter.sample_vector(2, seed=random)[0]
        result = Configuration(self.space, vector=vector)
        if self.space.forbidden_clauses:
            try:
                result.check_valid_configuration()
            except ForbiddenValueError:
                return None
        return result
