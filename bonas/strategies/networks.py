"""The networks of a space by key, for strategies that need no surrogate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import ATTEMPTS, Candidates, Pool
from spaces.configurations.mutation import neighbours
from spaces.encoding import Encoder
from spaces.keys import trial_key
from spaces.space import Space, draw


@dataclass
class Networks:
    """What is derived from one space, once: it changes how long a proposal takes, nothing else.

    Attributes:
        space: the space.
    """

    space: Space
    _keys: dict[bytes, str] = field(init=False, default_factory=dict, repr=False)
    _near: dict[bytes, Sequence[Configuration]] = field(
        init=False, default_factory=dict, repr=False
    )
    _pool: Pool | None = field(init=False, default=None, repr=False)

    def key(self, configuration: Configuration) -> str:
        """What the configuration is known by in a history."""
        name = configuration.get_array().tobytes()
        if name not in self._keys:
            self._keys[name] = trial_key(self.space, configuration)
        return self._keys[name]

    def neighbours(self, configuration: Configuration) -> Sequence[Configuration]:
        """Configurations that are one change away; some may be the same network.

        Always the same ones, although steps of numbers are drawn: there are finitely many.
        """
        name = configuration.get_array().tobytes()
        if name not in self._near:
            self._near[name] = list(neighbours(configuration, np.random.default_rng(0)))
        return self._near[name]

    def random(self, asked: set[str], rng: np.random.Generator) -> Configuration:
        """A random network that is not in `asked`.

        Raises:
            Exhausted: there is no such network, or none was found.
        """
        for _ in range(ATTEMPTS):
            chosen = draw(self.space.configuration_space, rng)
            if self.key(chosen) not in asked:
                return chosen
        # Only where most of a space is known it pays to list what is left.
        if self._pool is None:
            self._pool = Pool(self.space, Candidates(), Encoder(self.space, depth=0))
        return self._pool.random(asked, rng)
