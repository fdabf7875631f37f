"""Asynchronous successive halving that stops trials instead of promoting them later."""

from __future__ import annotations

from bisect import bisect, insort
from collections.abc import Sequence, Set
from dataclasses import dataclass
from math import ceil

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.schedules.replay import Promotions, Replaying
from fidelity.schedules.rungs import Rungs
from fidelity.schedules.schedule import Promote, Start


class Stopping:
    """The costs in each rung, and the trials that are due for promotion.

    Args:
        budgets: of the rungs, ascending.
        eta: one in eta trials of a rung is promoted.
    """

    def __init__(self, budgets: Sequence[float], eta: float) -> None:
        self.budgets = budgets
        self.due: dict[int, Trial] = {}  # in the order in which they ended
        self._eta = eta
        self._rung = {budget: rung for rung, budget in enumerate(budgets)}
        self._costs: list[list[float]] = [[] for _ in budgets]
        self._passed: dict[int, Trial] = {}
        self._promotions = Promotions()

    def add_trial(self, trial: Trial) -> None:
        """Read a trial, which may be a promotion."""
        self._promotions.add_trial(trial)
        if trial.parent is not None:
            self.due.pop(trial.parent, None)

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Decide whether a trial is promoted."""
        trial, rung = evaluation.trial, self._rung.get(evaluation.trial.budget)
        if rung is None:  # of another schedule
            return
        if evaluation.status is Status.LOST:
            if self._promotions.add_evaluation(evaluation):
                self._promote(self._passed[trial.parent or 0])
            return
        costs = self._costs[rung]
        rank = bisect(costs, evaluation.cost) + 1  # behind its equals
        insort(costs, evaluation.cost)
        passes = evaluation.succeeded and rank <= ceil(len(costs) / self._eta - 1e-9)
        if passes and rung + 1 < len(self.budgets):
            self._passed[trial.number] = trial
            self._promote(trial)

    def _promote(self, trial: Trial) -> None:
        if trial.number not in self._promotions:
            self.due[trial.number] = trial

    def promotion(self) -> Promote | None:
        """Return the promotion of the trial that has waited longest."""
        for trial in self.due.values():
            return Promote(trial, self.budgets[self._rung[trial.budget] + 1])
        return None


@dataclass(frozen=True)
class AsynchronousStopping(Rungs, Replaying[Stopping]):
    """One decision per trial and rung: it is promoted at once, or stopped for good.

    A trial is promoted if it is among the best one in eta of its rung so far, rounded up, so that
    the first one always is. The authors of ASHA implement it like this in Ray Tune; Klein et al.
    (2020, "Model-based asynchronous hyperparameter and neural architecture search",
    arXiv:2003.10865) compare both. It trains longer at the beginning than `AsynchronousHalving`,
    and keeps hardly any checkpoints: those of trials that are about to resume.

    Failed evaluations count in their rung and are not promoted. A promotion whose worker died
    does not count, and is repeated.

    Its budgets are those of `Rungs`.
    """

    def state(self) -> Stopping:
        """See `Settings`."""
        return Stopping(self.budgets, self.eta)

    def decide(
        self, state: Stopping, history: History, *, exhausted: bool
    ) -> Start | Promote | None:
        """See `Settings`."""
        return state.promotion() or (None if exhausted else Start(state.budgets[0]))

    def promotable(self, state: Stopping, history: History) -> Set[int]:
        """See `Settings`."""
        return state.due.keys()
