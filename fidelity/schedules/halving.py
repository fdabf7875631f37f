"""Successive halving (Jamieson & Talwalkar 2016): many start, the best of each rung go on."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from itertools import count
from math import ceil

from fidelity.history.history import History
from fidelity.schedules.bracket import Rung, continuable, next_of_brackets
from fidelity.schedules.schedule import Promote, ScheduleError, Start, check_budgets


def halvings(min_budget: float, max_budget: float, eta: float) -> int:
    """How often `max_budget` can be divided by `eta` and stay at least `min_budget`."""
    return next(s for s in count() if max_budget / eta ** (s + 1) < min_budget * (1 - 1e-9))


def rungs(trials: int, halvings: int, max_budget: float, eta: float) -> tuple[Rung, ...]:
    """The rungs of one bracket: a share 1/eta of the trials at eta times the budget."""
    return tuple(
        Rung(int(trials / eta**i + 1e-9), max_budget / eta ** (halvings - i))
        for i in range(halvings + 1)
    )


def fewest(trials: float) -> int:
    """Return the smallest whole number of trials that is at least `trials`.

    Rounding up keeps a trial at the maximal budget for every eta: of 6 trials none is left after
    two rungs at eta = 2.5, of 7 one is. Powers of eta such as `sqrt(2)**2` exceed whole numbers by
    rounding errors, which are ignored.

    Args:
        trials: a product of powers of eta, for instance `eta**halvings`.
    """
    return ceil(trials * (1 - 1e-12))


@dataclass(frozen=True)
class SuccessiveHalving:
    """One bracket after another, each of the same rungs.

    A rung is decided when all its trials have ended; a worker that is free before then starts
    on the next bracket. Failed evaluations are never promoted; a promotion whose worker died is
    made once more.

    Attributes:
        min_budget: at which configurations start.
        max_budget: at which the best of each bracket ends.
        eta: the factor between budgets, and the share that is promoted is one in eta.
        trials: the number that start in a bracket; by default the smallest that leaves one at
            `max_budget`.

    Raises:
        ScheduleError: the budgets or eta make no schedule, or none of `trials` is left at the
            maximal budget.
    """

    min_budget: float
    max_budget: float
    eta: float = 3
    trials: int | None = None

    def __post_init__(self) -> None:
        check_budgets(self.min_budget, self.max_budget, self.eta)
        if self.trials is not None and self.rungs[-1].trials < 1:
            raise ScheduleError(
                f"of {self.trials} trials none is left at the maximal budget {self.max_budget}: "
                f"start at least {self._fewest}"
            )

    @property
    def _fewest(self) -> int:
        return fewest(self.eta ** halvings(self.min_budget, self.max_budget, self.eta))

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The rungs of each bracket."""
        steps = halvings(self.min_budget, self.max_budget, self.eta)
        trials = self._fewest if self.trials is None else self.trials
        return rungs(trials, steps, self.max_budget, self.eta)

    def next(self, history: History, *, exhausted: bool = False) -> Start | Promote | None:
        """Fills the first bracket in which something can be done."""
        return next_of_brackets(self, history, exhausted=exhausted)

    def continuable(self, history: History) -> Set[int]:
        """Trials of undecided rungs, and those whose promotion is due."""
        return continuable(self, history)

    def bracket(self, number: int) -> tuple[Rung, ...]:
        """The rungs of bracket `number`: the same for all."""
        return self.rungs
