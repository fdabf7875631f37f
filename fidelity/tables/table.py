"""What a table is: the results of trainings that somebody has made already."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from fidelity.objective import Context
from spaces.space import Space


class TableError(ValueError):
    """A table that cannot be read, or that does not hold what was asked for."""


class Table(Protocol):
    """An objective that looks up what a training gave, and how many seconds it took.

    `Search(table.space, table, ...)` searches it, by `bonas.runners.Simulated` on a clock that
    goes as the trainings went.
    """

    @property
    def space(self) -> Space:
        """The architectures of the table."""
        ...

    @property
    def budgets(self) -> Sequence[float]:
        """At which there are results, ascending."""
        ...

    @property
    def max_budget(self) -> float:
        """The last of `budgets`."""
        ...

    @property
    def optimum(self) -> float:
        """The lowest cost at the maximal budget, the mean of the runs of each architecture."""
        ...

    def regret(self, configuration: Configuration) -> float:
        """How much its mean cost at the maximal budget is above the `optimum`."""
        ...

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, context: Context
    ) -> dict[str, float]:
        """What a training gave.

        Args:
            configuration: of `space`.
            budget: one of `budgets`, a total.
            seed: picks one of the runs; the same seed picks the same one.
            context: says from which budget the training goes on.

        Returns:
            'cost', the error in percent, and 'seconds', which go on top of what was trained
            before.

        Raises:
            TableError: there is no such architecture or budget in the table.
        """
        ...


@dataclass(frozen=True, eq=False)
class Runs:
    """The trainings of every architecture to one budget.

    Attributes:
        rows: the row of each architecture, by the bytes of its configuration's vector.
        errors: of each architecture (a row) and run, in percent; NaN where there are fewer runs.
        seconds: of one training of each architecture.
    """

    rows: Mapping[bytes, int]
    errors: Float[np.ndarray, "architectures runs"]
    seconds: Float[np.ndarray, " architectures"]

    @cached_property
    def means(self) -> Float[np.ndarray, " architectures"]:
        """The mean error of the runs of each architecture."""
        means: Float[np.ndarray, " architectures"] = np.nanmean(self.errors, axis=1)
        return means

    @cached_property
    def _counts(self) -> list[int]:
        return [int(count) for count in np.isfinite(self.errors).sum(axis=1)]

    def row(self, configuration: Configuration) -> int:
        """The row of an architecture.

        Raises:
            TableError: it has none.
        """
        found = self.rows.get(configuration.get_array().tobytes())
        if found is None:
            raise TableError(
                f"the table has no architecture {dict(configuration)}: "
                "take configurations of the table's own space"
            )
        return found

    def result(self, configuration: Configuration, seed: int) -> dict[str, float]:
        """The error of the run that `seed` draws, and the seconds of a whole training."""
        row = self.row(configuration)
        run = int(np.random.default_rng([seed, row]).integers(self._counts[row]))
        return {"cost": float(self.errors[row, run]), "seconds": float(self.seconds[row])}


def padded(runs: Sequence[Sequence[float]]) -> Float[np.ndarray, "architectures runs"]:
    """Rows of different lengths as an array, with NaN at the ends."""
    table = np.full((len(runs), max(map(len, runs))), np.nan)
    for row, values in zip(table, runs, strict=True):
        row[: len(values)] = values
    return table


def known_budget(budget: float, budgets: Sequence[float]) -> float:
    """The one of `budgets` that is `budget` but for rounding.

    Raises:
        TableError: there is none.
    """
    for known in budgets:
        if math.isclose(budget, known, rel_tol=1e-6):
            return known
    raise TableError(
        f"the table holds no results at a budget of {budget:g}, only at "
        f"{', '.join(f'{known:g}' for known in budgets)}: choose a schedule with these budgets"
    )
