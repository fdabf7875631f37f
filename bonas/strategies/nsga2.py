"""NSGA-II: a genetic algorithm for several objectives."""

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
from spaces.configurations.mutation import crossover, mutate
from spaces.space import Space


@dataclass(frozen=True)
class NSGA2(Startable):
    """Crosses and mutates the best networks so far, by front and then by crowding distance.

    Deb, Pratap, Agarwal and Meyarivan 2002, "A fast and elitist multiobjective genetic algorithm:
    NSGA-II". The population is the best of all evaluations, which is the paper's survival of
    parents and children together; each evaluation may replace a member at once, so that several
    workers never wait for a generation to end. Parents win tournaments of two. A child that was
    proposed before is mutated until it is new.

    The order of NSGA-II is that of the costs in the history that a search shows to its strategy
    (see `fidelity.history.ranking`): feasible networks come first there, and with one objective
    this is an elitist genetic algorithm. With several budgets the population lives at the largest
    budget with enough evaluations to fill it. The first population is random.

    Attributes:
        population: the number of members; well below the number of evaluations.
        crossover: the probability that a child has two parents; otherwise it is a mutant of one.
        belief: the user's prior over the best configuration; random networks are drawn from it
            too (see `bonas.acquisition.ensemble_sampling.Ensemble`).

    Raises:
        ValueError: the population is below 2, or `crossover` is not a probability.
    """

    population: int = 20
    crossover: float = 0.9
    belief: Belief | None = None

    def __post_init__(self) -> None:
        if self.population < 2:
            raise ValueError(f"a population has at least 2 members, not {self.population}")
        if not 0 <= self.crossover <= 1:
            raise ValueError(f"crossover is a probability, not {self.crossover}")

    def start(self, space: Space) -> Strategy:
        """See `Startable.start`."""
        return _GeneticSearch(self, Networks(space, self.belief))


@dataclass(frozen=True)
class _GeneticSearch:
    settings: NSGA2
    networks: Networks = field(repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        asked, population = history.keys(), self.settings.population
        evaluated = observations(history, population).evaluations
        if len(evaluated) < population:
            return self.networks.random(history, rng)
        members = sorted(evaluated, key=lambda e: (_cost(e), e.trial.number))[:population]
        child = _winner(members, rng)
        if rng.random() < self.settings.crossover:
            child = crossover(child, _winner(members, rng), rng)
        for _ in range(ATTEMPTS):
            child = mutate(child, rng)
            if self.networks.key(child) not in asked:
                return child
        return self.networks.random(history, rng)


def _winner(members: Sequence[Evaluation], rng: np.random.Generator) -> Configuration:
    """Return the better of two random members; they are sorted, the best first."""
    return members[int(rng.integers(len(members), size=2).min())].trial.configuration


def _cost(evaluation: Evaluation) -> float:
    return evaluation.cost if evaluation.succeeded else math.inf
