"""The schedule, the part of a search that chooses budgets."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, is_dataclass, replace
from typing import Protocol, runtime_checkable

from fidelity.history.history import History
from fidelity.history.trial import Trial


class ScheduleError(ValueError):
    """Inconsistent settings of a schedule."""


@dataclass(frozen=True)
class Start:
    """The decision to evaluate a new configuration.

    Attributes:
        budget: of its first trial.
        bracket: of the schedule, to which the trial will belong.
    """

    budget: float
    bracket: int = 0


@dataclass(frozen=True)
class Promote:
    """The decision to resume an evaluated trial at a higher budget.

    Attributes:
        trial: to resume.
        budget: the new total.
    """

    trial: Trial
    budget: float


class Schedule(Protocol):
    """The choice of budgets for new configurations, and of trials to promote.

    A schedule holds settings and decides by the history alone. One that keeps a state from one
    decision to the next has, in addition, a method `start`; see `started`.
    """

    @property
    def max_budget(self) -> float | None:
        """The highest budget of all decisions; None takes the objective's, see `complete`."""
        ...

    def next(self, history: History, *, exhausted: bool = False) -> Start | Promote | None:
        """Return the decision for a free worker; a pure function of the history.

        Args:
            history: all evaluations, and in `history.pending` the running trials.
            exhausted: no new configuration is left, so that only promotions are possible.

        Returns:
            None if the worker has to wait until a running trial ends.
        """
        ...

    def continuable(self, history: History) -> Set[int]:
        """Return the evaluated trials that may still be promoted: their checkpoints are kept.

        The set may change with the history; the caller does not change it.
        """
        ...


@runtime_checkable
class Startable(Protocol):
    """A schedule with a state, which `start` returns."""

    def start(self) -> Schedule:
        """Return a schedule of the same decisions that reads each record of a history once."""
        ...


def started(schedule: Schedule) -> Schedule:
    """Return the schedule with its state, for one search; without `start`, the schedule itself."""
    return schedule.start() if isinstance(schedule, Startable) else schedule


def complete(schedule: Schedule, max_budget: float | None) -> Schedule:
    """Return the schedule with a maximal budget: its own, or else that of the objective.

    Args:
        schedule: of which `max_budget` may be None.
        max_budget: of the objective; None if it has none.

    Raises:
        ScheduleError: neither has one, or it is below the schedule's minimal budget.
    """
    if schedule.max_budget is not None:
        return schedule
    if isinstance(schedule, type) or not is_dataclass(schedule):
        raise ScheduleError(
            f"the max_budget of the schedule {schedule!r} is None, and it is not a dataclass of "
            "which a copy could be made with the objective's: give it a number"
        )
    return replace(schedule, max_budget=known(max_budget))


def known(max_budget: float | None) -> float:
    """Return a maximal budget that is not None.

    Raises:
        ScheduleError: it is None.
    """
    if max_budget is None:
        raise ScheduleError(
            "the schedule has no maximal budget, and takes it from no objective: give it "
            "max_budget, as in Hyperband(1, 27), or search with an objective that has an attribute "
            "max_budget"
        )
    return max_budget


def check_budgets(min_budget: float, max_budget: float | None, eta: float) -> None:
    """Check the settings of a schedule.

    Args:
        min_budget: of new configurations.
        max_budget: not below it; None is checked later.
        eta: the factor between rungs.

    Raises:
        ScheduleError: the minimum is not positive, the maximum is below it, or eta is too small.
    """
    if not min_budget > 0:
        raise ScheduleError(f"the minimal budget is positive, not {min_budget}")
    if max_budget is not None and not max_budget >= min_budget:
        raise ScheduleError(
            f"the maximal budget {max_budget} is below the minimal budget {min_budget}: swap them?"
        )
    if max_budget is not None and not max_budget < float("inf"):
        raise ScheduleError(f"the maximal budget is finite, not {max_budget}")
    if not eta > 1:
        raise ScheduleError(f"eta, the factor between rungs, is above 1 (often 3), not {eta}")
