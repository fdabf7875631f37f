"""Successive halving (Jamieson & Talwalkar 2016): many start, the best of each rung resume."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from fidelity.schedules.bracket import Bracketed, Rung
from fidelity.schedules.rungs import Rungs
from fidelity.schedules.schedule import ScheduleError, known


def rungs(trials: int, halvings: int, max_budget: float, eta: float) -> tuple[Rung, ...]:
    """Return the rungs of one bracket: 1/eta of the trials at eta times the budget.

    Args:
        trials: in the lowest rung.
        halvings: the number of rungs above it.
        max_budget: of the highest rung.
        eta: the factor between rungs.
    """
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
class SuccessiveHalving(Rungs, Bracketed):
    """One bracket after another, all with the same rungs.

    A rung is decided when all its trials have ended; a worker that is free before then starts
    on the next bracket. Failed evaluations are never promoted; a promotion whose worker died is
    repeated.

    Its budgets are those of `Rungs`.

    Attributes:
        trials: the number that start in a bracket; by default the smallest that leaves one at
            `max_budget`.

    Raises:
        ScheduleError: as `check_budgets`, or none of `trials` is left at the maximal budget.
    """

    trials: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if None not in (self.trials, self.max_budget) and self.rungs[-1].trials < 1:
            raise ScheduleError(
                f"of {self.trials} trials none is left at the maximal budget {self.max_budget}: "
                f"start at least {self._fewest}"
            )

    @property
    def _fewest(self) -> int:
        return fewest(self.eta**self.halvings)

    @property
    def rungs(self) -> tuple[Rung, ...]:
        """The rungs of each bracket."""
        trials = self._fewest if self.trials is None else self.trials
        return rungs(trials, self.halvings, known(self.max_budget), self.eta)

    def bracket(self, number: int) -> tuple[Rung, ...]:
        """Return the rungs of bracket `number`: the same for all."""
        return self.rungs
