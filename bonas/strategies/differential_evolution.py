"""Differential evolution on the unit cube, with a population at each budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import ATTEMPTS
from bonas.acquisition.prior import Belief
from bonas.strategies.networks import Networks
from bonas.strategies.strategy import Startable, Strategy
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.configurations.unit_cube import Point, from_unit_cube, to_unit_cube
from spaces.space import Space

MIN_MEMBERS = 4
"""Members of a population that can have children: a target, and three parents."""

Population = Mapping[int, Evaluation]
"""The members by their positions."""


@dataclass(frozen=True)
class DifferentialEvolution(Startable):
    """Combines three networks as vectors and crosses the result with a fourth: DE/rand/1/bin.

    Storn and Price 1997, "Differential evolution"; with several budgets as in Awad, Mallik
    and Hutter 2021, "DEHB: evolutionary Hyperband for scalable, robust and efficient
    hyperparameter optimization". There is a population at each budget. A child is bred for the
    highest budget with enough members: its target is a member there, and its three parents are
    among the best at the budget below. With the schedule `Hyperband` this is DEHB, with one
    difference: the schedule decides the budget of a child, so the child starts at the
    lowest budget of its bracket and takes a position at each budget that it is promoted to.

    The k-th new network has position k modulo `population` at every budget, and replaces a
    member there that is not better, so the populations follow from the history alone. Failures
    take no position; a child that was proposed before is bred again.

    Attributes:
        population: the number of positions, and of random networks at the beginning.
        scale: F, the weight of the difference of two vectors that is added to a third one.
        crossover: the probability that a coordinate of the child is not the target's.
        belief: the user's prior over the best configuration; random networks are drawn from it
            too (see `bonas.acquisition.ensemble_sampling.Ensemble`).

    Raises:
        ValueError: the population is too small to have children, `scale` is not positive, or
            `crossover` is not a probability.
    """

    population: int = 10
    scale: float = 0.5
    crossover: float = 0.5
    belief: Belief | None = None

    def __post_init__(self) -> None:
        if self.population < MIN_MEMBERS:
            raise ValueError(
                f"a population has at least {MIN_MEMBERS} members, not {self.population}"
            )
        if not self.scale > 0:
            raise ValueError(f"the scale of differences is positive, often 0.5, not {self.scale}")
        if not 0 <= self.crossover <= 1:
            raise ValueError(f"crossover is a probability, not {self.crossover}")

    def start(self, space: Space) -> Strategy:
        """See `Startable.start`."""
        return _DifferentialEvolution(self, Networks(space, self.belief))


@dataclass(frozen=True)
class _DifferentialEvolution:
    settings: DifferentialEvolution
    networks: Networks = field(repr=False, compare=False)

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        asked, size = history.keys(), self.settings.population
        begun, populations = self._populations(history)
        if begun >= size and populations:
            for _ in range(ATTEMPTS):
                child = self._child(space, populations, begun % size, rng)
                if child is not None and self.networks.key(child) not in asked:
                    return child
        return self.networks.random(history, rng)

    def _populations(self, history: History) -> tuple[int, list[Population]]:
        """Return the number of networks begun, and the populations with enough members.

        The populations are sorted by ascending budget.
        """
        positions: list[int] = []
        begun = 0
        for trial in history.trials:
            if trial.parent is None:
                positions.append(begun % self.settings.population)
                begun += 1
            else:
                positions.append(positions[trial.parent])
        populations: dict[float, dict[int, Evaluation]] = {b: {} for b in history.budgets}
        for evaluation in history.evaluations:
            population = populations[evaluation.trial.budget]
            position = positions[evaluation.trial.number]
            member = population.get(position)
            if evaluation.succeeded and (member is None or evaluation.cost <= member.cost):
                population[position] = evaluation
        return begun, [members for members in populations.values() if len(members) >= MIN_MEMBERS]

    def _child(
        self,
        space: Space,
        populations: Sequence[Population],
        position: int,
        rng: np.random.Generator,
    ) -> Configuration | None:
        """Return a child for the highest population; None if a clause forbids it."""
        target = _target(populations, position, rng)
        parents = _parents(populations, target)
        drawn = rng.choice(len(parents), 3, replace=False)
        points = [to_unit_cube(parents[i].trial.configuration, rng) for i in drawn]
        point = to_unit_cube(target.trial.configuration, rng)
        mutant = _inside(points[0] + self.settings.scale * (points[1] - points[2]), rng)
        swapped = rng.random(len(point)) < self.settings.crossover
        swapped[rng.integers(len(point))] = True
        return from_unit_cube(space.configuration_space, np.where(swapped, mutant, point), rng)


def _target(
    populations: Sequence[Population], position: int, rng: np.random.Generator
) -> Evaluation:
    """Return the member at `position` at the highest possible budget, or a random member."""
    for population in reversed(populations):
        if position in population:
            return population[position]
    members = list(populations[-1].values())
    return members[rng.integers(len(members))]


def _parents(populations: Sequence[Population], target: Evaluation) -> list[Evaluation]:
    """Return the best at the budget below the highest, as many as the highest has members."""
    below = populations[max(len(populations) - 2, 0)]
    best = sorted(below.values(), key=lambda evaluation: evaluation.cost)
    best = best[: max(len(populations[-1]), MIN_MEMBERS)]
    return [member for member in best if member.trial.key != target.trial.key]


def _inside(point: Point, rng: np.random.Generator) -> Point:
    """Redraw the coordinates outside the unit cube, as DEHB does."""
    return np.where((point < 0) | (point > 1), rng.random(len(point)), point)
