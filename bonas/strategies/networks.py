"""The networks of a space by key, for strategies without a surrogate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import ATTEMPTS, Candidates, Pool
from bonas.acquisition.ensemble_sampling import new_network
from bonas.acquisition.prior import Belief
from fidelity.history.history import History
from spaces.configurations.mutation import neighbours
from spaces.keys import Keys
from spaces.space import Space, draw


@dataclass
class Networks:
    """Keys and neighbours of the configurations of one space, each computed once.

    Attributes:
        space: the search space.
        belief: the user's prior over the best configuration, from which `random` draws too.
    """

    space: Space
    belief: Belief | None = None
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

    def random(self, history: History, rng: np.random.Generator) -> Configuration:
        """Return a random network that needs to be proposed; with a belief see `Ensemble`.

        Args:
            history: of the search; its `keys` are left out.
            rng: the only source of randomness.

        Raises:
            Exhausted: there is no such network, or none was found.
        """
        if self.belief is not None:
            return new_network(self._pool, self.belief, history, rng)
        asked, choices = history.keys(), self.space.configuration_space
        for _ in range(ATTEMPTS):
            configuration = draw(choices, rng)
            if self.key(configuration) not in asked:
                return configuration
        return self._pool.random(asked, rng)

    @cached_property
    def _pool(self) -> Pool:
        """Lists the space, which pays only once most of it has been evaluated."""
        return Pool(self.space, Candidates(), self.keys)
