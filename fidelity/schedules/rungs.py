"""Rungs of geometrically growing budgets, and ladders that promote whenever a trial ends."""

from __future__ import annotations

import heapq
from bisect import insort
from collections.abc import Sequence, Set
from dataclasses import dataclass, field
from itertools import count

from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.schedules.replay import Promotions
from fidelity.schedules.schedule import Promote, check_budgets, known


@dataclass(frozen=True)
class Rungs:
    """Budgets that grow by a constant factor.

    Attributes:
        min_budget: of new configurations; the lowest rung is at least that.
        max_budget: of the highest rung; None takes the objective's.
        eta: the factor between budgets; one in eta trials is promoted.

    Raises:
        ScheduleError: as `check_budgets`.
    """

    min_budget: float
    max_budget: float | None = None
    eta: float = 3

    def __post_init__(self) -> None:
        check_budgets(self.min_budget, self.max_budget, self.eta)

    @property
    def halvings(self) -> int:
        """The number of times that `max_budget / eta` stays at or above `min_budget`."""
        most, least = known(self.max_budget), self.min_budget * (1 - 1e-9)
        return next(s for s in count() if most / self.eta ** (s + 1) < least)

    @property
    def budgets(self) -> tuple[float, ...]:
        """The budgets of all rungs, ascending."""
        most, steps = known(self.max_budget), self.halvings
        return tuple(most / self.eta ** (steps - rung) for rung in range(steps + 1))


@dataclass
class Level:
    """One rung of a ladder.

    Attributes:
        ended: the number of its evaluations, failed ones included.
        ranked: (cost, trial number) of the successes, ascending.
        waiting: a heap of those that can be promoted, and of some that have been.
    """

    ended: int = 0
    ranked: list[tuple[float, int]] = field(default_factory=list)
    waiting: list[tuple[float, int]] = field(default_factory=list)


class Ladder:
    """The state of asynchronous successive halving (Li et al. 2020, algorithm 2).

    A failed evaluation counts as the worst of its rung. One whose worker died does not count:
    it says nothing about the network.

    Args:
        budgets: of the rungs, ascending.
        eta: one in eta trials of a rung is promoted.
        paused: receives the numbers of the trials that may still be promoted.
    """

    def __init__(self, budgets: Sequence[float], eta: float, paused: set[int]) -> None:
        self.budgets = budgets
        self.levels = [Level() for _ in budgets]
        self._eta = eta
        self._rung = {budget: rung for rung, budget in enumerate(budgets)}
        self._promotions = Promotions()
        self._successes: dict[int, Evaluation] = {}  # below the highest rung
        self._paused = paused

    @property
    def paused(self) -> Set[int]:
        """The numbers of the trials that may still be promoted; it changes with the ladder."""
        return self._paused

    def success(self, trial: int) -> Evaluation | None:
        """Return the evaluation of a trial if it succeeded below the highest rung."""
        return self._successes.get(trial)

    def add_trial(self, trial: Trial) -> None:
        """Read a trial, which may be a promotion."""
        self._promotions.add_trial(trial)
        if trial.parent is not None:
            self._paused.discard(trial.parent)

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Rank an evaluation in its rung."""
        rung = self.rung(evaluation.trial)
        if rung is None:
            return
        if evaluation.status is Status.LOST:
            if self._promotions.add_evaluation(evaluation):
                self._pause(self._successes[evaluation.trial.parent or 0])
            return
        level = self.levels[rung]
        level.ended += 1
        if evaluation.succeeded:
            insort(level.ranked, (evaluation.cost, evaluation.trial.number))
            if rung + 1 < len(self.levels):
                self._successes[evaluation.trial.number] = evaluation
                self._pause(evaluation)

    def rung(self, trial: Trial) -> int | None:
        """Return the index of its rung; None if its budget belongs to another schedule."""
        return self._rung.get(trial.budget)

    def promotion(self, top: int) -> Promote | None:
        """Return the promotion from the highest rung below `top` that has one."""
        for rung in reversed(range(top)):
            number = self._best(self.levels[rung])
            if number is not None:
                return Promote(self._successes[number].trial, self.budgets[rung + 1])
        return None

    def _pause(self, evaluation: Evaluation) -> None:
        """Let an evaluated trial wait for its promotion, unless it is promoted."""
        number, rung = evaluation.trial.number, self.rung(evaluation.trial)
        if rung is not None and number not in self._promotions:
            self._paused.add(number)
            heapq.heappush(self.levels[rung].waiting, (evaluation.cost, number))

    def _best(self, level: Level) -> int | None:
        """Return the best waiting trial of a rung if it is among the best share."""
        waiting = level.waiting
        while waiting and waiting[0][1] not in self._paused:
            heapq.heappop(waiting)
        share = int(level.ended / self._eta + 1e-9)
        if not waiting or not share:
            return None
        worst = level.ranked[min(share, len(level.ranked)) - 1]
        return waiting[0][1] if waiting[0] <= worst else None
