"""Random search (Li & Talwalkar 2020, "Random search and reproducibility for NAS")."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from peers.peer import Choice, FlatSpace, draw


@dataclass(frozen=True)
class Random:
    """Networks at random, with replacement."""

    def start(self, flat: FlatSpace, seed: int) -> RandomSession:
        """See `Peer.start`."""
        return RandomSession(flat, np.random.default_rng([seed, 0]))


@dataclass
class RandomSession:
    """See `Session`."""

    flat: FlatSpace
    rng: np.random.Generator

    def ask(self) -> Choice:
        """A random network."""
        return draw(self.flat, self.rng)

    def tell(self, choice: Choice, cost: float) -> None:
        """Nothing is learned."""
