"""What a schedule is: the part of a search that chooses budgets."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from typing import Protocol

from fidelity.history.history import History
from fidelity.history.trial import Trial


class ScheduleError(ValueError):
    """A schedule that cannot be: its message says what is wrong and how to mend it."""


@dataclass(frozen=True)
class Start:
    """Evaluate a new configuration.

    Attributes:
        budget: at which it starts.
        bracket: to which it will belong.
    """

    budget: float
    bracket: int = 0


@dataclass(frozen=True)
class Promote:
    """Continue an evaluated trial to a higher budget.

    Attributes:
        trial: what is continued.
        budget: the total to which.
    """

    trial: Trial
    budget: float


class Schedule(Protocol):
    """Decides at which budget to evaluate, and which trials to continue."""

    @property
    def max_budget(self) -> float:
        """The highest budget it ever asks for."""
        ...

    def next(self, history: History, *, exhausted: bool = False) -> Start | Promote | None:
        """What to do with a free worker; a pure function of the history.

        Args:
            history: everything evaluated, and in `history.pending` what is running.
            exhausted: no new configuration is left, so that only promotions are possible.

        Returns:
            None if nothing can be done before something that is running ends.
        """
        ...

    def continuable(self, history: History) -> Set[int]:
        """The evaluated trials that may yet be promoted: their checkpoints are kept.

        What is returned may change with the history; nobody else changes it.
        """
        ...


def check_budgets(min_budget: float, max_budget: float, eta: float) -> None:
    """Refuses ranges of budgets that make no schedule.

    Raises:
        ScheduleError: the minimum is not positive, the maximum is below it, or eta is too small.
    """
    if not min_budget > 0:
        raise ScheduleError(f"the minimal budget is positive, not {min_budget}")
    if not max_budget >= min_budget:
        raise ScheduleError(
            f"the maximal budget {max_budget} is below the minimal budget {min_budget}: swap them?"
        )
    if not (max_budget < float("inf")):
        raise ScheduleError(f"the maximal budget is finite, not {max_budget}")
    if not eta > 1:
        raise ScheduleError(f"eta, the factor between rungs, is above 1 (often 3), not {eta}")
