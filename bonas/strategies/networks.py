"""The networks of a space by key, for strategies without a surrogate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import ATTEMPTS, Candidates, Pool
from spaces.configurations.mutation import neighbours
from spaces.keys import Keys
from spaces.space import Space, draw


@dataclass
class Networks:
    """Keys and neighbours of the configurations of one space, each computed once.

    Attributes:
        space: the search space.
    """

    space: Space
    _neighbours: dict[bytes, Sequence[Configuration]] = field(
        init=False, default_factory=dict, repr=False
    )

    @cached_property
    def keys(self) -> Keys:
        """The keys of the configurations."""
        return Keys(self.space)

    def key(self, configuration: Configuration) -> str:
        """Return the key that the configuration has in a history."""
        return self.keys.key(configuration)

    def neighbours(self, configuration: Configuration) -> Sequence[Configuration]:
        """Return the configurations one change away; some may be the same network.

        Steps of numbers are drawn, always the same ones, so there are finitely many neighbours.
        """
        vector = configuration.get_array().tobytes()
        if vector not in self._neighbours:
            self._neighbours[vector] = list(neighbours(configuration, np.random.default_rng(0)))
        return self._neighbours[vector]

    def random(self, asked: set[str], rng: np.random.Generator) -> Configuration:
        """Return a random network whose key is not in `asked`.

        Args:
            asked: the keys of the networks of earlier trials.
            rng: the only source of randomness.

        Raises:
            Exhausted: there is no such network, or none was found.
        """
        for _ in range(ATTEMPTS):
            configuration = draw(self.space.configuration_space, rng)
            if self.key(configuration) not in asked:
                return configuration
        return self._pool.random(asked, rng)

    @cached_property
    def _pool(self) -> Pool:
        """Lists the space, which pays only once most of it has been evaluated."""
        return Pool(self.space, Candidates(), self.keys)
