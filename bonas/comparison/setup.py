"""One entry of a comparison: a strategy with a schedule."""

from __future__ import annotations

from dataclasses import dataclass

from bonas.roles import SCHEDULE, STRATEGY, check_role
from bonas.strategies.strategy import Strategy
from fidelity.schedules.schedule import Schedule


class ComparisonError(ValueError):
    """A comparison that is impossible: the message says what is wrong and how to mend it."""


@dataclass(frozen=True)
class Setup:
    """One entry of a comparison.

    Attributes:
        strategy: proposes configurations.
        schedule: chooses budgets; None evaluates everything at the objective's `max_budget`.
    """

    strategy: Strategy
    schedule: Schedule | None = None

    def __post_init__(self) -> None:
        """Check the roles of both."""
        check_role("strategy", self.strategy, STRATEGY, "strategies.RandomSearch()")
        if self.schedule is not None and id(self.schedule) != id(self.strategy):
            check_role("schedule", self.schedule, SCHEDULE, "Hyperband(1, 9)")
