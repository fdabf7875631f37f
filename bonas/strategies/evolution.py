"""Regularized evolution: the oldest member of the population dies, not the worst."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import ATTEMPTS
from bonas.acquisition.prior import Belief
from bonas.strategies.networks import Networks
from bonas.strategies.strategy import Startable, Strategy
from bonas.surrogates.observations import observations
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.configurations.mutation import mutate
from spaces.space import Space

DIRECT_MUTANTS = 5
"""Mutants of the parent that are tried before a mutant is itself mutated."""


@dataclass(frozen=True)
class RegularizedEvolution(Startable):
    """Mutates the best of a random sample of the most recently evaluated networks.

    Real, Aggarwal, Huang and Le 2019, "Regularized evolution for image classifier architecture
    search", algorithm 1. The population is the last evaluations in the order in which they ended,
    so a network with a lucky observation dies of age. With several workers this is the
    asynchronous evolution of the paper. There are two differences: the sample is drawn without
    replacement, and a mutant that was proposed before is replaced by another one, so no evaluation
    is spent on a known network.

    With several budgets the population lives at the largest budget with enough evaluations to
    fill it, because costs at different budgets are not comparable. Failures are members that lose
    every tournament. The first population is random: a search with fewer evaluations than
    `population` is random search.

    Attributes:
        population: the number of living networks; well below the number of evaluations.
        sample_size: the number of them that compete to be the parent; more is greedier.
        belief: the user's prior over the best configuration; random networks are drawn from it
            too (see `bonas.acquisition.ensemble_sampling.Ensemble`).

    Raises:
        ValueError: the population is below 2, or the sample is empty or larger than it.
    """

    population: int = 10
    sample_size: int = 10
    belief: Belief | None = None

    def __post_init__(self) -> None:
        if self.population < 2:
            raise ValueError(f"a population has at least 2 members, not {self.population}")
        if not 1 <= self.sample_size <= self.population:
            raise ValueError(
                f"the sample is 1 to {self.population} members, the whole population, and not "
                f"{self.sample_size}: make one smaller or the other larger"
            )

    def start(self, space: Space) -> Strategy:
        """See `Startable.start`."""
        return _Evolution(self, Networks(space, self.belief))


@dataclass(frozen=True)
class _Evolution:
    settings: RegularizedEvolution
    networks: Networks = field(repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        asked, population = history.keys(), self.settings.population
        members = observations(history, population).evaluations[-population:]
        if len(members) == population:
            parent = child = self._winner(members, rng).trial.configuration
            for attempt in range(ATTEMPTS):
                child = mutate(parent if attempt < DIRECT_MUTANTS else child, rng)
                if self.networks.key(child) not in asked:
                    return child
        return self.networks.random(history, rng)

    def _winner(self, members: Sequence[Evaluation], rng: np.random.Generator) -> Evaluation:
        """Return the best of a sample; the cost of a failure is infinite."""
        drawn = rng.choice(len(members), self.settings.sample_size, replace=False)
        sample = [members[int(index)] for index in drawn]
        return min(sample, key=lambda e: e.cost if e.succeeded else math.inf)
