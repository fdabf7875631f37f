"""Random search (Li & Talwalkar 2020, "Random search and reproducibility for NAS")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from peers.peer import Choice, draw


@dataclass(frozen=True)
class Random:
    """Cells at random, with replacement."""

    def start(self, seed: int) -> RandomSession:
        """See `Peer.start`."""
        return RandomSession(np.random.default_rng([seed, 0]))


@dataclass
class RandomSession:
    """See `Session`."""

    rng: np.random.Generator

    def ask(self) -> Choice:
        """A random cell."""
        return draw(self.rng)

    def tell(self, choice: Choice, cost: float) -> None:
        """Nothing is learned."""
