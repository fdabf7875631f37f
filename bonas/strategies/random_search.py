"""Random search (Bergstra & Bengio 2012; the baseline of Li & Talwalkar 2020 for NAS)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ConfigSpace import Configuration

from fidelity.history.history import History
from spaces.space import Space, draw


@dataclass(frozen=True)
class RandomSearch:
    """Proposes random configurations, independent of the history."""

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`."""
        return draw(space.configuration_space, rng)
