"""NAS-Bench-201 on devices: the error of each cell beside its measured latency and energy."""

from __future__ import annotations

import ast
import csv
import gzip
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from jaxtyping import Float

from fidelity.objective import Context
from fidelity.tables.nasbench201 import NASBench201, rows_of
from fidelity.tables.table import TableError, known_budget
from spaces.architecture.architecture import Architecture
from spaces.cells.cell import CellSpace
from spaces.space import InputShape

if TYPE_CHECKING:
    from torch import nn

OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""What the digits of a cell in the file mean, and the edges that they are on, in order."""


@dataclass(frozen=True)
class WrittenCells:
    """Cells that are the same only where they are written the same.

    A network was measured as it was written: what leads nowhere took its time on the device, so
    that two cells which compute the same differ in latency.

    Attributes:
        cells: the space of the cells.
    """

    cells: CellSpace

    @property
    def configuration_space(self) -> ConfigurationSpace:
        """See `Space`."""
        return self.cells.configuration_space

    def architecture(self, configuration: Configuration) -> Architecture:
        """See `Space`."""
        return self.cells.architecture(configuration)

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space`."""
        return self.cells.build(configuration, input_shape, outputs)

    def key(self, configuration: Configuration) -> str:
        """The cell as it is written."""
        return self.cells.to_string(configuration)


@dataclass(frozen=True)
class HardwareNASBench201:
    """The errors of NAS-Bench-201 and what was measured of its cells on devices.

    Li et al. 2021, "HW-NAS-Bench: hardware-aware neural architecture search benchmark", measured
    latency and energy on six devices. It is for a search with several objectives or with limits:
    `Search(table.space, table, objectives=("cost", *table.quantities))`.

    Attributes:
        path: of a CSV file, gzipped or not. The column `net` has six digits for each of the 15,625
            cells, such as "(4, 3, 3, 0, 0, 0)": the `OPERATIONS` on the `EDGES`.
        quantities: the columns that are returned beside the error, under their own names.
        dataset: of the errors: 'cifar10', 'cifar100' or 'imagenet'.

    Raises:
        TableError: there is no such data set.
    """

    resumes: ClassVar[bool] = False

    path: str | Path
    quantities: tuple[str, ...]
    dataset: str = "cifar10"

    def __post_init__(self) -> None:
        NASBench201(self.dataset)

    @cached_property
    def space(self) -> WrittenCells:
        """The 15,625 cells, each of them different from all others."""
        return WrittenCells(self._errors.space)

    @property
    def max_budget(self) -> float:
        """200 epochs."""
        return self._errors.max_budget

    @property
    def budgets(self) -> tuple[float, ...]:
        """The maximal budget alone."""
        return (self.max_budget,)

    @property
    def optimum(self) -> float:
        """The lowest mean validation error, in percent."""
        return self._errors.optimum

    def regret(self, configuration: Configuration) -> float:
        """Its mean validation error above the optimum, in percent."""
        return self._errors.regret(configuration)

    @cached_property
    def costs(self) -> Float[np.ndarray, "cells k"]:
        """The mean error in percent and the quantities of each cell, in the order of `row`."""
        return np.column_stack([self._errors.full.means, self._measured])

    def row(self, configuration: Configuration) -> int:
        """The row of a cell in `costs`."""
        return self._errors.full.row(configuration)

    def __call__(
        self,
        configuration: Configuration,
        budget: float = 200.0,
        seed: int = 0,
        context: Context | None = None,
    ) -> dict[str, float]:
        """Looks up a training, and what was measured of the network.

        Args:
            configuration: a cell.
            budget: 200 epochs.
            seed: draws one of the 2 or 3 runs.
            context: not used.

        Returns:
            'cost', the validation error in percent, 'seconds' of the training, and the quantities.

        Raises:
            TableError: there are no results at this budget, or for this configuration.
        """
        known_budget(budget, self.budgets)
        found = self._errors.full.result(configuration, seed)
        measured = self._measured[self.row(configuration)].tolist()
        return found | dict(zip(self.quantities, measured, strict=True))

    @cached_property
    def _errors(self) -> NASBench201:
        return NASBench201(self.dataset)

    @cached_property
    def _measured(self) -> Float[np.ndarray, "cells q"]:
        lines = _read(Path(self.path))
        try:
            cells = [_operations(line["net"], self._errors.space) for line in lines]
            values = np.array([[float(line[name]) for name in self.quantities] for line in lines])
        except (LookupError, TypeError, ValueError, SyntaxError) as error:
            raise TableError(
                f"{self.path} is not as it should be ({error!r}): each line has six digits in the "
                f"column net, and numbers in the columns {', '.join(self.quantities)}"
            ) from error
        rows, full = rows_of(self._errors.space, cells), self._errors.full.rows
        if rows.keys() != full.keys():
            raise TableError(
                f"{self.path} holds {len(rows)} cells of NAS-Bench-201, not all {len(full)}: "
                "get the whole file"
            )
        missing = [
            name
            for name, column in zip(self.quantities, values.T, strict=True)
            if not all(math.isfinite(value) and value >= 0 for value in column)
        ]
        if missing:
            raise TableError(
                f"{self.path} lacks values of {', '.join(missing)}: they are no numbers or "
                "negative. Choose columns that are complete"
            )
        return values[[rows[vector] for vector in full]]


def _operations(digits: str, space: CellSpace) -> tuple[str, ...]:
    """The operations of a cell, one for each edge in the order of the space."""
    chosen = dict(zip(EDGES, ast.literal_eval(digits), strict=True))
    return tuple(OPERATIONS[chosen[edge]] for edge in space.edges)


def _read(path: Path) -> list[Mapping[str, str]]:
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
        return list(csv.DictReader(content.decode().splitlines()))
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise TableError(
            f"{path} cannot be read ({error}): give the path of the CSV file"
        ) from error
