"""Asynchronous successive halving (ASHA; Li et al. 2020, MLSys, algorithm 2), by promotion."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from fidelity.history.history import History
from fidelity.schedules.replay import follow
from fidelity.schedules.rungs import Ladder, Rungs
from fidelity.schedules.schedule import Promote, Start


@dataclass(frozen=True)
class AsynchronousHalving(Rungs):
    """Promotes whatever is among the best of its rung by now; no worker ever waits for another.

    A free worker looks from the highest rung down for a trial that is among the best one in eta
    of its rung as it stands, and has not been promoted; if there is none it starts a new
    configuration (Li et al. 2020, "A system for massively parallel hyperparameter tuning").

    Failed evaluations count in their rung and are never promoted. A promotion whose worker died
    does not count, and is made once more. Every trial that has not been promoted may still be,
    so that its checkpoint is kept; `AsynchronousStopping` keeps few.

    Its budgets are those of `Rungs`.
    """

    def next(self, history: History, *, exhausted: bool = False) -> Start | Promote | None:
        """The promotion to the highest rung, or a new configuration."""
        ladder = self._ladder(history)
        promotion = ladder.promotion(len(ladder.budgets) - 1)
        return promotion or (None if exhausted else Start(ladder.budgets[0]))

    def continuable(self, history: History) -> Set[int]:
        """Everything below the highest rung that succeeded and has not been promoted."""
        return self._ladder(history).paused

    def _ladder(self, history: History) -> Ladder:
        return follow(history, self, lambda: Ladder(self.budgets, self.eta, set()))
