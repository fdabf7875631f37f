"""NSGA-II: a genetic algorithm for several objectives."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import ATTEMPTS
from bonas.strategies.networks import Networks
from bonas.strategies.remembered import remembered
from bonas.surrogates.observations import observations
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.configurations.mutation import crossover, mutate
from spaces.space import Space


@dataclass(frozen=True)
class NSGA2:
    """Crosses and mutates the best networks so far, by front and then by room around them.

    Deb, Pratap, Agarwal and Meyarivan 2002, "A fast and elitist multiobjective genetic algorithm:
    NSGA-II". The population is the best of everything that was evaluated, which is what its
    survival of parents and children together comes to; each evaluation may replace a member at
    once, so that with several workers nobody waits for a generation to end. Parents win
    tournaments of two. A child that was asked for before is mutated until it is new.

    The order of NSGA-II is that of the costs in the history which a search shows to its strategy
    (see `fidelity.history.ranking`): what satisfies the constraints comes first there, and with
    one objective this is an elitist genetic algorithm. With several budgets the population lives
    at the largest one that has enough evaluations to fill it; the first population is random.

    Attributes:
        population: how many networks live; choose it well below the number of evaluations.
        crossover: how often a child has two parents; else it is a mutant of one.

    Raises:
        ValueError: the population is below 2, or `crossover` is no probability.
    """

    population: int = 20
    crossover: float = 0.9
    _memory: list[Networks] = field(init=False, default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Checks the numbers."""
        if self.population < 2:
            raise ValueError(f"a population has at least 2 members, not {self.population}")
        if not 0 <= self.crossover <= 1:
            raise ValueError(f"crossover is a probability, not {self.crossover}")

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`."""
        networks = remembered(self._memory, space, lambda: Networks(space))
        asked = history.keys()
        evaluated = observations(history, self.population).evaluations
        if len(evaluated) < self.population:
            return networks.random(asked, rng)
        alive = sorted(evaluated, key=lambda e: (_cost(e), e.trial.number))[: self.population]
        child = _winner(alive, rng)
        if rng.random() < self.crossover:
            child = crossover(child, _winner(alive, rng), rng)
        for _ in range(ATTEMPTS):
            child = mutate(child, rng)
            if networks.key(child) not in asked:
                return child
        return networks.random(asked, rng)


def _winner(alive: list[Evaluation], rng: np.random.Generator) -> Configuration:
    """The better of two members, which are sorted."""
    return alive[int(rng.integers(len(alive), size=2).min())].trial.configuration


def _cost(evaluation: Evaluation) -> float:
    return evaluation.cost if evaluation.succeeded else math.inf
