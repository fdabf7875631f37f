"""The table, an objective that looks up the results of earlier training runs."""

from __future__ import annotations

import csv
import gzip
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from ConfigSpace import Configuration
from jaxtyping import Float

from fidelity.objective import Context
from spaces.space import Space


class TableError(ValueError):
    """A table that cannot be read, or that lacks a result."""


class Table(Protocol):
    """An objective that looks up the result of a training and its duration in seconds.

    `Search(table.space, table, ...)` searches it; `bonas.runners.Simulated` has a clock that
    advances by these durations. A table needs only `configuration_space` and `architecture` of its
    space, and no `build`.
    """

    @property
    def space(self) -> Space:
        """The architectures of the table."""
        ...

    @property
    def budgets(self) -> Sequence[float]:
        """The budgets that have results, ascending."""
        ...

    @property
    def max_budget(self) -> float:
        """The last of `budgets`."""
        ...

    @property
    def optimum(self) -> float:
        """The lowest cost at the maximal budget, by the mean of each architecture's runs."""
        ...

    def regret(self, configuration: Configuration) -> float:
        """Return the mean cost at the maximal budget above the `optimum`."""
        ...

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, context: Context
    ) -> dict[str, float]:
        """Return the result of a training.

        Args:
            configuration: of `space`.
            budget: one of `budgets`, a total.
            seed: picks one of the runs; the same seed picks the same one.
            context: with the budget that the training resumes from.

        Returns:
            'cost', the error in percent, and 'seconds' since that budget.

        Raises:
            TableError: the table lacks this architecture or budget.
        """
        ...


@dataclass(frozen=True, eq=False)
class Runs:
    """The training runs of every architecture to one budget.

    Attributes:
        rows: the row of each architecture, by the bytes of its configuration's vector.
        errors: of each architecture (a row) and run, in percent; NaN where there are fewer runs.
        seconds: the duration of one training of each architecture.
    """

    rows: Mapping[bytes, int]
    errors: Float[np.ndarray, "architectures runs"]
    seconds: Float[np.ndarray, " architectures"]

    @cached_property
    def means(self) -> Float[np.ndarray, " architectures"]:
        """The mean error of each architecture's runs."""
        means: Float[np.ndarray, " architectures"] = np.nanmean(self.errors, axis=1)
        return means

    @cached_property
    def _counts(self) -> list[int]:
        return [int(count) for count in np.isfinite(self.errors).sum(axis=1)]

    def row(self, configuration: Configuration) -> int:
        """Return the row of an architecture.

        Raises:
            TableError: it has none.
        """
        row = self.rows.get(configuration.get_array().tobytes())
        if row is None:
            raise TableError(
                f"the table has no architecture {dict(configuration)}: "
                "take configurations of the table's own space"
            )
        return row

    def result(self, configuration: Configuration, seed: int) -> dict[str, float]:
        """Return the error of one run and the duration of a full training run in seconds.

        Args:
            configuration: of the table.
            seed: draws the run.
        """
        row = self.row(configuration)
        run = int(np.random.default_rng([seed, row]).integers(self._counts[row]))
        return {"cost": float(self.errors[row, run]), "seconds": float(self.seconds[row])}


def padded(runs: Sequence[Sequence[float]]) -> Float[np.ndarray, "architectures runs"]:
    """Return rows of different lengths as an array, with NaN at the ends."""
    table = np.full((len(runs), max(map(len, runs))), np.nan)
    for row, values in zip(table, runs, strict=True):
        row[: len(values)] = values
    return table


def known_budget(budget: float, budgets: Sequence[float]) -> float:
    """Return the entry of `budgets` that equals `budget` up to rounding.

    Args:
        budget: of a trial.
        budgets: that have results.

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


def read_csv(path: Path) -> list[dict[str, str]]:
    """Return the lines of a CSV file, gzipped or not, as mappings from column to text.

    Raises:
        TableError: the file cannot be read.
    """
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        return list(csv.DictReader(content.decode().splitlines()))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise TableError(
            f"{path} cannot be read ({error}): give the path of the CSV file"
        ) from error
