"""NAS-Bench-Macro (Su et al. 2021): 6,561 chains of mobile blocks, trained on CIFAR-10."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ConfigSpace import Configuration

from fidelity.objective import Context
from fidelity.tables.table import Runs, TableError, known_budget, padded
from spaces.hierarchical.macro_space import MACRO_CODES, MacroSpace


@dataclass(frozen=True)
class NASBenchMacro:
    """NAS-Bench-Macro: the test accuracies of three training runs of each network.

    The file has neither durations nor learning curves, and test accuracies only. So the clock
    advances by multiply-adds: a training run takes one second per million. The budget is 1, one
    full training run.

    Attributes:
        path: of the file nas-bench-macro_cifar10.json: for each code of eight digits a mapping
            with 'test_acc' (percent, one per run) and 'flops' (multiply-adds per image).
    """

    path: str | Path

    @cached_property
    def space(self) -> MacroSpace:
        """The 6,561 networks."""
        return MacroSpace.nasbench_macro()

    @property
    def max_budget(self) -> float:
        """One full training run."""
        return 1.0

    @property
    def budgets(self) -> tuple[float, ...]:
        """The maximal budget alone."""
        return (self.max_budget,)

    @property
    def optimum(self) -> float:
        """The lowest mean test error, in percent."""
        return float(self._runs.means.min())

    def regret(self, configuration: Configuration) -> float:
        """Return the mean test error above the optimum, in percent."""
        return float(self._runs.means[self._runs.row(configuration)]) - self.optimum

    def __call__(
        self,
        configuration: Configuration,
        budget: float = 1.0,
        seed: int = 0,
        context: Context | None = None,
    ) -> dict[str, float]:
        """Return the result of a training.

        Args:
            configuration: a network.
            budget: 1.
            seed: draws one of the three runs.
            context: not used.

        Returns:
            'cost', the test error in percent, and 'seconds', the millions of multiply-adds.

        Raises:
            TableError: there is no result for this budget or configuration.
        """
        known_budget(budget, self.budgets)
        return self._runs.result(configuration, seed)

    @cached_property
    def _runs(self) -> Runs:
        entries = _read(Path(self.path))
        choices = self.space.configuration_space
        names = [f"{stage}:operation" for stage in self.space.stages]
        indices = [choices.index_of[name] for name in names]
        index = [
            {str(n): float(choices[name].to_vector(code)) for n, code in enumerate(MACRO_CODES)}
            for name in names
        ]
        rows, vector = {}, np.empty(len(choices))
        for row, code in enumerate(sorted(entries)):
            vector[indices] = [values[digit] for values, digit in zip(index, code, strict=True)]
            rows[vector.tobytes()] = row
        ordered = [entries[code] for code in sorted(entries)]
        errors = 100.0 - padded([entry["test_acc"] for entry in ordered])
        return Runs(rows, errors, np.array([entry["flops"] / 1e6 for entry in ordered]))


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """Return the entries of the file by code.

    Raises:
        TableError: the file cannot be read, or is another one.
    """
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TableError(
            f"{path} cannot be read ({error}): give the path of nas-bench-macro_cifar10.json "
            "of https://github.com/xiusu/NAS-Bench-Macro"
        ) from error
    if not isinstance(entries, dict) or not entries or not all(map(_complete, entries.items())):
        raise TableError(
            f"{path} is not the file of NAS-Bench-Macro: it has a mapping with test_acc and "
            "flops for each code of eight digits 0, 1 or 2"
        )
    return entries


def _complete(item: tuple[str, Any]) -> bool:
    code, entry = item
    well_named = len(code) == 8 and set(code) <= set("012")
    return well_named and isinstance(entry, dict) and {"test_acc", "flops"} <= set(entry)
