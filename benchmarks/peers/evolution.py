"""Regularized evolution.

Real, Aggarwal, Huang and Le 2019, "Regularized evolution for image classifier architecture search",
algorithm 1: the best of a random sample of the population is mutated, and the oldest member dies.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from peers.peer import Choice, FlatSpace, draw, mutate


@dataclass(frozen=True)
class Evolution:
    """Ageing evolution.

    Attributes:
        population: how many members live.
        sample: how many of them compete to be the parent.
    """

    population: int
    sample: int

    def start(self, flat: FlatSpace, seed: int) -> EvolutionSession:
        """See `Peer.start`."""
        return EvolutionSession(self, flat, np.random.default_rng([seed, 0]))


@dataclass
class EvolutionSession:
    """See `Session`."""

    settings: Evolution
    flat: FlatSpace
    rng: np.random.Generator
    members: deque[tuple[float, Choice]] = field(default_factory=deque)

    def ask(self) -> Choice:
        """A random network until the population is full, then a child."""
        if len(self.members) < self.settings.population:
            return draw(self.flat, self.rng)
        chosen = self.rng.choice(len(self.members), self.settings.sample, replace=False)
        _, parent = min((self.members[i] for i in chosen), key=lambda member: member[0])
        return mutate(self.flat, parent, self.rng)

    def tell(self, choice: Choice, cost: float) -> None:
        """The youngest joins, the oldest leaves once the population is full."""
        if len(self.members) == self.settings.population:
            self.members.popleft()
        self.members.append((cost, choice))
