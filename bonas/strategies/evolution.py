"""Regularized evolution: the oldest member of the population dies, not the worst."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import ATTEMPTS
from bonas.strategies.networks import Networks
from bonas.strategies.remembered import remembered
from bonas.surrogates.observations import observations
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.configurations.mutation import mutate
from spaces.space import Space

NEAR = 5
"""So many mutants of the parent are made; if all are known, the last one is mutated further."""


@dataclass(frozen=True)
class RegularizedEvolution:
    """Mutates the best of a random sample of the networks that were evaluated last.

    Real, Aggarwal, Huang and Le 2019, "Regularized evolution for image classifier architecture
    search", algorithm 1. The population is the last evaluations in the order in which they ended,
    so that a network with a lucky observation dies of age. With several workers that is the
    asynchronous evolution of the paper. Two things are not as there: the sample is drawn without
    replacement, and where a mutant was asked for before another one is made, so that no evaluation
    is spent on a known network.

    With several budgets, the population lives at the largest budget that has enough evaluations
    to fill it: costs at different budgets are not compared. Failures are members that lose every
    tournament.

    The networks of the first population are drawn at random: a search of fewer evaluations than
    `population` is random search.

    Attributes:
        population: how many networks are alive; choose it well below the number of evaluations.
        sample_size: how many of them compete to be the parent; the more, the greedier.

    Raises:
        ValueError: the population is below 2, or the sample is empty or larger than it.
    """

    population: int = 10
    sample_size: int = 10
    _memory: list[Networks] = field(init=False, default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.population < 2:
            raise ValueError(f"a population has at least 2 members, not {self.population}")
        if not 1 <= self.sample_size <= self.population:
            raise ValueError(
                f"the sample is 1 to {self.population} members, the whole population, and not "
                f"{self.sample_size}: make one smaller or the other larger"
            )

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`."""
        networks = remembered(self._memory, space, lambda: Networks(space))
        asked = history.keys()
        members = observations(history, self.population).evaluations[-self.population :]
        if len(members) == self.population:
            parent = child = self._winner(members, rng).trial.configuration
            for attempt in range(ATTEMPTS):
                child = mutate(parent if attempt < NEAR else child, rng)
                if networks.key(child) not in asked:
                    return child
        return networks.random(asked, rng)

    def _winner(self, members: Sequence[Evaluation], rng: np.random.Generator) -> Evaluation:
        """The best of a sample; the cost of a failure is infinite."""
        drawn = rng.choice(len(members), self.sample_size, replace=False)
        sample = [members[int(place)] for place in drawn]
        return min(sample, key=lambda e: e.cost if e.succeeded else math.inf)
