"""Ladders: rungs of ascending budgets, each of which promotes whenever one of its trials ends."""

from __future__ import annotations

import heapq
from bisect import insort
from collections.abc import Sequence, Set
from dataclasses import dataclass, field

from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.schedules.halving import halvings
from fidelity.schedules.replay import Promotions
from fidelity.schedules.schedule import Promote, check_budgets


def geometric(min_budget: float, max_budget: float, eta: float) -> tuple[float, ...]:
    """The budgets of rungs, ascending: `max_budget` divided by `eta` as often as possible."""
    steps = halvings(min_budget, max_budget, eta)
    return tuple(max_budget / eta ** (steps - rung) for rung in range(steps + 1))


@dataclass(frozen=True)
class Rungs:
    """Budgets that grow by a constant factor: what schedules without a limit have in common.

    Attributes:
        min_budget: at which configurations start; that of the lowest rung, or less.
        max_budget: that of the highest rung, at which the best end.
        eta: the factor between budgets, and the share that goes on is one in eta.

    Raises:
        ScheduleError: as `check_budgets`.
    """

    min_budget: float
    max_budget: float
    eta: float = 3

    def __post_init__(self) -> None:
        check_budgets(self.min_budget, self.max_budget, self.eta)

    @property
    def budgets(self) -> tuple[float, ...]:
        """The budgets of all rungs, ascending."""
        return geometric(self.min_budget, self.max_budget, self.eta)


@dataclass
class Level:
    """One rung.

    Attributes:
        ended: how many evaluations it has seen, failed ones too.
        ranked: (cost, trial number) of those that succeeded, ascending.
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
        eta: the share of a rung that is promoted is one in eta.
        paused: where it keeps the numbers of the trials that may yet be promoted.
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
        """The numbers of the trials that may yet be promoted; it changes with the ladder."""
        return self._paused

    def success(self, trial: int) -> Evaluation | None:
        """What came of a trial that succeeded below the highest rung."""
        return self._successes.get(trial)

    def asked(self, trial: Trial) -> None:
        """Takes in a trial, which may be a promotion."""
        self._promotions.asked(trial)
        if trial.parent is not None:
            self._paused.discard(trial.parent)

    def ended(self, evaluation: Evaluation) -> None:
        """Ranks what came of a trial in its rung."""
        rung = self.rung(evaluation.trial)
        if rung is None:
            return
        if evaluation.status is Status.LOST:
            if self._promotions.ended(evaluation):
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
        """Its place in `levels`; None if its budget is of another schedule."""
        return self._rung.get(trial.budget)

    def promotion(self, top: int) -> Promote | None:
        """What to promote, at most to rung `top`: from the highest rung where anything is due."""
        for rung in reversed(range(top)):
            due = self._due(self.levels[rung])
            if due is not None:
                return Promote(self._successes[due].trial, self.budgets[rung + 1])
        return None

    def _pause(self, evaluation: Evaluation) -> None:
        """Lets an evaluated trial wait for its promotion, unless that has been made."""
        number, rung = evaluation.trial.number, self.rung(evaluation.trial)
        if rung is not None and number not in self._promotions:
            self._paused.add(number)
            heapq.heappush(self.levels[rung].waiting, (evaluation.cost, number))

    def _due(self, level: Level) -> int | None:
        """The best of a rung that can be promoted, if it is among its best share."""
        waiting = level.waiting
        while waiting and waiting[0][1] not in self._paused:
            heapq.heappop(waiting)
        promoted = int(level.ended / self._eta + 1e-9)
        if not waiting or not promoted:
            return None
        worst = level.ranked[min(promoted, len(level.ranked)) - 1]
        return waiting[0][1] if waiting[0] <= worst else None
