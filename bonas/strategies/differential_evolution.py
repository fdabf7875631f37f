"""Differential evolution on the unit cube, with a population at each budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import ATTEMPTS
from bonas.strategies.networks import Networks
from bonas.strategies.remembered import remembered
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.configurations.unit_cube import Point, from_unit_cube, to_unit_cube
from spaces.space import Space

FEWEST = 4
"""Members of a population that can have children: a target, and three to be combined."""

Population = Mapping[int, Evaluation]
"""The members by their places."""


@dataclass(frozen=True)
class DifferentialEvolution:
    """Combines three networks as vectors and crosses the result with a fourth: DE/rand/1/bin.

    Storn and Price 1997, "Differential evolution"; with several budgets in the way of Awad, Mallik
    and Hutter 2021, "DEHB: evolutionary Hyperband for scalable, robust and efficient
    hyperparameter optimization". There is a population at each budget. A child is bred for the
    highest budget with enough members: its target is a member there, and the three that are
    combined are among the best at the budget below. With the schedule `Hyperband` that is DEHB,
    with one difference: a schedule decides the budget of a child, so that it starts at the
    lowest of its bracket and takes a place at each budget that it is promoted to.

    The k-th new network has its place k modulo `population` at every budget, and takes it from a
    member that is not better. So the populations follow from the history alone. Failures take no
    place; a child that was asked for before is bred anew.

    Attributes:
        population: how many places there are; so many networks are drawn at random first.
        scale: F, of the difference of two vectors that is added to a third one.
        crossover: the probability with which a coordinate of the child is not the target's.

    Raises:
        ValueError: the population is too small to have children, `scale` is not positive, or
            `crossover` is not a probability.
    """

    population: int = 10
    scale: float = 0.5
    crossover: float = 0.5
    _memory: list[Networks] = field(init=False, default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.population < FEWEST:
            raise ValueError(f"a population has at least {FEWEST} members, not {self.population}")
        if not self.scale > 0:
            raise ValueError(f"the scale of differences is positive, often 0.5, not {self.scale}")
        if not 0 <= self.crossover <= 1:
            raise ValueError(f"crossover is a probability, not {self.crossover}")

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """See `Strategy.propose`."""
        networks = remembered(self._memory, space, lambda: Networks(space))
        asked = history.keys()
        begun, populations = self._populations(history)
        if begun >= self.population and populations:
            place = begun % self.population
            for _ in range(ATTEMPTS):
                child = self._child(space, populations, place, rng)
                if child is not None and networks.key(child) not in asked:
                    return child
        return networks.random(asked, rng)

    def _populations(self, history: History) -> tuple[int, list[Population]]:
        """How many networks were begun, and the populations with enough members by budget."""
        places: list[int] = []
        begun = 0
        for trial in history.trials:
            if trial.parent is None:
                places.append(begun % self.population)
                begun += 1
            else:
                places.append(places[trial.parent])
        populations: dict[float, dict[int, Evaluation]] = {b: {} for b in history.budgets}
        for evaluation in history.evaluations:
            population = populations[evaluation.trial.budget]
            place = places[evaluation.trial.number]
            member = population.get(place)
            if evaluation.succeeded and (member is None or evaluation.cost <= member.cost):
                population[place] = evaluation
        return begun, [members for members in populations.values() if len(members) >= FEWEST]

    def _child(
        self,
        space: Space,
        populations: Sequence[Population],
        place: int,
        rng: np.random.Generator,
    ) -> Configuration | None:
        """A child for the highest population; None if a clause forbids it.

        Args:
            space: the space.
            populations: with enough members, by ascending budget.
            place: where it will compete.
            rng: the source of randomness.
        """
        target = _target(populations, place, rng)
        parents = _parents(populations, target)
        drawn = rng.choice(len(parents), 3, replace=False)
        points = [to_unit_cube(parents[i].trial.configuration, rng) for i in drawn]
        point = to_unit_cube(target.trial.configuration, rng)
        mutant = _inside(points[0] + self.scale * (points[1] - points[2]), rng)
        swapped = rng.random(len(point)) < self.crossover
        swapped[rng.integers(len(point))] = True
        return from_unit_cube(space.configuration_space, np.where(swapped, mutant, point), rng)


def _target(populations: Sequence[Population], place: int, rng: np.random.Generator) -> Evaluation:
    """Who has the place at the highest budget, or else at a lower one, or else anybody."""
    for population in reversed(populations):
        if place in population:
            return population[place]
    members = list(populations[-1].values())
    return members[rng.integers(len(members))]


def _parents(populations: Sequence[Population], target: Evaluation) -> list[Evaluation]:
    """The best at the budget below the highest, as many as there are members at the highest."""
    below = populations[max(len(populations) - 2, 0)]
    best = sorted(below.values(), key=lambda evaluation: evaluation.cost)
    best = best[: max(len(populations[-1]), FEWEST)]
    return [member for member in best if member.trial.key != target.trial.key]


def _inside(point: Point, rng: np.random.Generator) -> Point:
    """Coordinates outside the unit cube are drawn anew, as in DEHB."""
    return np.where((point < 0) | (point > 1), rng.random(len(point)), point)
