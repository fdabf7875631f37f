"""Full fidelity: every configuration at the maximal budget."""

from __future__ import annotations

from dataclasses import dataclass

from fidelity.history.history import History
from fidelity.schedules.schedule import Promote, Start, check_budgets


@dataclass(frozen=True)
class FullFidelity:
    """One evaluation of each configuration, at one budget.

    Attributes:
        max_budget: that budget.
    """

    max_budget: float = 1.0

    def __post_init__(self) -> None:
        check_budgets(self.max_budget, self.max_budget, eta=2)

    def next(self, history: History, *, exhausted: bool = False) -> Start | Promote | None:
        """See `Schedule`."""
        return None if exhausted else Start(self.max_budget)

    def continuable(self, history: History) -> set[int]:
        """Return the empty set: nothing is ever promoted."""
        return set()
