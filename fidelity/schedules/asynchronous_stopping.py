"""Asynchronous successive halving that stops trials instead of promoting them later."""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Sequence, Set
from dataclasses import dataclass
from math import ceil

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.schedules.replay import Promotions, follow
from fidelity.schedules.rungs import Rungs
from fidelity.schedules.schedule import Promote, Start


@dataclass(frozen=True)
class AsynchronousStopping(Rungs):
    """Decides once, when a trial reaches a rung, whether it goes on or is stopped for good.

    It goes on if it is among the best one in eta of what its rung has seen by then, rounded up,
    so that the first one always does. This is how the authors of ASHA have it in Ray Tune; Klein
    et al. (2020, "Model-based asynchronous hyperparameter and neural architecture search",
    arXiv:2003.10865) compare both. It trains longer at the beginning than `AsynchronousHalving`,
    and keeps hardly any checkpoints: those of trials that are about to go on.

    Failed evaluations count in their rung and do not go on. A continuation whose worker died
    does not count, and is made once more.

    Its budgets are those of `Rungs`.
    """

    def next(self, history: History, *, exhausted: bool = False) -> Start | Promote | None:
        """Continues the trial that has waited longest, or starts a new configuration."""
        state = self._state(history)
        return state.promotion() or (None if exhausted else Start(state.budgets[0]))

    def continuable(self, history: History) -> Set[int]:
        """Trials that are to go on and wait for a worker."""
        return self._state(history).due.keys()

    def _state(self, history: History) -> _Stopping:
        return follow(history, self, lambda: _Stopping(self.budgets, self.eta))


class _Stopping:
    """What each rung has seen, and what goes on."""

    def __init__(self, budgets: Sequence[float], eta: float) -> None:
        self.budgets = budgets
        self.due: dict[int, Trial] = {}  # in the order in which they ended
        self._eta = eta
        self._rung = {budget: rung for rung, budget in enumerate(budgets)}
        self._costs: list[list[float]] = [[] for _ in budgets]
        self._passed: dict[int, Trial] = {}
        self._promotions = Promotions()

    def asked(self, trial: Trial) -> None:
        self._promotions.asked(trial)
        if trial.parent is not None:
            self.due.pop(trial.parent, None)

    def ended(self, evaluation: Evaluation) -> None:
        trial, rung = evaluation.trial, self._rung.get(evaluation.trial.budget)
        if rung is None:  # of another schedule
            return
        if evaluation.status is Status.LOST:
            if self._promotions.ended(evaluation):
                self._go_on(self._passed[trial.parent or 0])
            return
        costs = self._costs[rung]
        rank = bisect(costs, evaluation.cost) + 1  # behind its equals
        insort(costs, evaluation.cost)
        goes_on = evaluation.succeeded and rank <= ceil(len(costs) / self._eta - 1e-9)
        if goes_on and rung + 1 < len(self.budgets):
            self._passed[trial.number] = trial
            self._go_on(trial)

    def _go_on(self, trial: Trial) -> None:
        if trial.number not in self._promotions:
            self.due[trial.number] = trial

    def promotion(self) -> Promote | None:
        """The next continuation."""
        for trial in self.due.values():
            return Promote(trial, self.budgets[self._rung[trial.budget] + 1])
        return None
