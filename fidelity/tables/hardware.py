"""NAS-Bench-201 on devices: the error of each cell with its measured latency and energy."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from jaxtyping import Float

from fidelity.objective import Context
from fidelity.tables.nasbench201 import NASBench201, rows_of
from fidelity.tables.table import TableError, known_budget, read_csv
from spaces.architecture.architecture import Architecture
from spaces.cells.cell import CellSpace
from spaces.space import InputShape

if TYPE_CHECKING:
    from torch import nn

OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
"""The operations of the digits in the file, and the edges of a cell in the order of its digits."""


@dataclass(frozen=True)
class WrittenCells:
    """Cells that are equal only if they are written equally.

    A network was measured as it was written: dead nodes took time on the device, so that two cells
    which compute the same function differ in latency.

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
        """Return the cell as it is written."""
        return self.cells.to_string(configuration)


@dataclass(frozen=True)
class HardwareNASBench201:
    """The errors of NAS-Bench-201 and measurements of its cells on devices.

    Li et al. 2021, "HW-NAS-Bench: hardware-aware neural architecture search benchmark", measured
    latency and energy on six devices. It is for a search with several objectives or constraints:
    `Search(table.space, table, objectives=("cost", *table.quantities))`.

    Attributes:
        path: of a CSV file, gzipped or not. The column `net` has six digits for each of the 15,625
            cells, such as "(4, 3, 3, 0, 0, 0)": the `OPERATIONS` on the `EDGES`.
        quantities: the columns that are returned with the error, under their own names.
        dataset: of the errors: 'cifar10', 'cifar100' or 'imagenet'.

    Raises:
        TableError: the data set is unknown.
    """

    resumes: ClassVar[bool] = False

    path: str | Path
    quantities: tuple[str, ...]
    dataset: str = "cifar10"

    def __post_init__(self) -> None:
        NASBench201(self.dataset)

    @cached_property
    def space(self) -> WrittenCells:
        """The 15,625 cells, all different."""
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
        """Return the mean validation error above the optimum, in percent."""
        return self._errors.regret(configuration)

    @cached_property
    def costs(self) -> Float[np.ndarray, "cells k"]:
        """The mean error in percent and the quantities of each cell, in the order of `row`."""
        return np.column_stack([self._errors.full.means, self._measured])

    def row(self, configuration: Configuration) -> int:
        """Return the row of a cell in `costs`."""
        return self._errors.full.row(configuration)

    def __call__(
        self,
        configuration: Configuration,
        budget: float = 200.0,
        seed: int = 0,
        context: Context | None = None,
    ) -> dict[str, float]:
        """Return the result of a training and the measurements of the network.

        Args:
            configuration: a cell.
            budget: 200 epochs.
            seed: draws one of the 2 or 3 runs.
            context: not used.

        Returns:
            'cost', the validation error in percent, 'seconds' of the training, and the quantities.

        Raises:
            TableError: there is no result for this budget or configuration.
        """
        known_budget(budget, self.budgets)
        result = self._errors.full.result(configuration, seed)
        measured = self._measured[self.row(configuration)].tolist()
        return result | dict(zip(self.quantities, measured, strict=True))

    @cached_property
    def _errors(self) -> NASBench201:
        return NASBench201(self.dataset)

    @cached_property
    def _measured(self) -> Float[np.ndarray, "cells q"]:
        lines = read_csv(Path(self.path))
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
    """Return the operations of a cell, one per edge in the order of the space."""
    on_edge = dict(zip(EDGES, ast.literal_eval(digits), strict=True))
    return tuple(OPERATIONS[on_edge[edge]] for edge in space.edges)
