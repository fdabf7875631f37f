"""Configurations at the ends of all their numbers, and configurations that cover a space."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.hyperparameters import CategoricalHyperparameter

from spaces.configurations.active_choices import Activation, unless_forbidden
from spaces.configurations.grid import value_grid

End = Literal["smallest", "largest"]


class Extremes:
    """The ends of the numbers of a space: of its ordinal, integer and real choices.

    Args:
        space: any configuration space.
    """

    def __init__(self, space: ConfigurationSpace) -> None:
        self.space = space
        self._entries = Activation(space).entries
        self.grids = [value_grid(hyperparameter) for hyperparameter, _ in self._entries]

    def at(
        self,
        configuration: Configuration,
        end: End,
        rng: np.random.Generator,
        pinned: Mapping[int, float] = MappingProxyType({}),
    ) -> Configuration | None:
        """Return the configuration with all numbers at their smallest or largest values.

        Args:
            configuration: its categorical choices are kept, as far as they stay active.
            end: of the numbers.
            rng: draws the categorical choices that become active.
            pinned: values that are set instead, as vectors hold them, by their positions.

        Returns:
            None if a clause forbids it.
        """
        vector = configuration.get_array().copy()
        for index, (hyperparameter, conditions) in enumerate(self._entries):
            grid = self.grids[index]
            if not all(condition.satisfied_by_vector(vector) for condition in conditions):
                vector[index] = np.nan
            elif index in pinned:
                vector[index] = pinned[index]
            elif not isinstance(hyperparameter, CategoricalHyperparameter):
                vector[index] = grid[-1 if end == "largest" else 0]
            elif np.isnan(vector[index]):
                vector[index] = grid[rng.integers(len(grid))]
        return unless_forbidden(Configuration(self.space, vector=vector))

    def covering(self, rng: np.random.Generator) -> Iterator[Configuration]:
        """Yield configurations of which each value of each choice is in one at least.

        All numbers but one are at their largest values. Of real numbers and wide ranges only some
        values are tried. A value that can be active only together with another one than the largest
        may be missing.

        Args:
            rng: draws the categorical choices that become active.
        """
        first = self.at(self.space.get_default_configuration(), "largest", rng)
        waiting = [self.space.get_default_configuration() if first is None else first]
        tried: set[tuple[int, float]] = set()
        while waiting:
            context = waiting.pop(0)
            yield context
            vector = context.get_array()
            tried.update((index, value) for index, value in enumerate(vector.tolist()))
            for index in np.flatnonzero(~np.isnan(vector)).tolist():
                for value in self.grids[index].tolist():
                    if (index, value) in tried:
                        continue
                    changed = vector.copy()
                    changed[index] = value
                    other = Configuration(self.space, vector=changed)
                    extreme = self.at(other, "largest", rng, {index: value})
                    if extreme is not None:
                        tried.add((index, value))
                        waiting.append(extreme)
