"""Asynchronous successive halving (ASHA; Li et al. 2020, MLSys, algorithm 2), by promotion."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from fidelity.history.history import History
from fidelity.schedules.replay import Replaying
from fidelity.schedules.rungs import Ladder, Rungs
from fidelity.schedules.schedule import Promote, Start


@dataclass(frozen=True)
class AsynchronousHalving(Rungs, Replaying[Ladder]):
    """Promotion of the trials that are among the best of their rung so far; no worker waits.

    For a free worker, the rungs are searched from the highest down for a trial among the best one
    in eta of its rung that has not been promoted; if there is none, a new configuration starts
    (Li et al. 2020, "A system for massively parallel hyperparameter tuning").

    Failed evaluations count in their rung and are never promoted. A promotion whose worker died
    does not count, and is repeated. All trials that have not been promoted may still be, so their
    checkpoints are kept; `AsynchronousStopping` keeps few.

    Its budgets are those of `Rungs`.
    """

    def state(self) -> Ladder:
        """See `Settings`."""
        return Ladder(self.budgets, self.eta, set())

    def decide(self, state: Ladder, history: History, *, exhausted: bool) -> Start | Promote | None:
        """See `Settings`."""
        promotion = state.promotion(len(state.budgets) - 1)
        return promotion or (None if exhausted else Start(state.budgets[0]))

    def promotable(self, state: Ladder, history: History) -> Set[int]:
        """See `Settings`."""
        return state.paused
