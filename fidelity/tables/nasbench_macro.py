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
    """NAS-Bench-Macro: the test accuracies of three trainings of each network.

    The file says neither what a training cost nor what came on the way. The clock therefore goes
    by the networks' multiply-adds: a training takes one second for each million of them. The
    budget is 1, one whole training. The file has test accuracies only.

    Attributes:
        path: of the file nas-bench-macro_cifar10.json: for each code of eight digits a mapping
            with 'test_acc' (percent, one a run) and 'flops' (multiply-adds of an image).
    """

    path: str | Path

    @cached_property
    def space(self) -> MacroSpace:
        """The 6,561 networks."""
        return MacroSpace.nasbench_macro()

    @property
    def max_budget(self) -> float:
        """One whole training."""
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
        """Its mean test error above the optimum, in percent."""
        return float(self._runs.means[self._runs.row(configuration)]) - self.optimum

    def __call__(
        self,
        configuration: Configuration,
        budget: float = 1.0,
        seed: int = 0,
        context: Context | None = None,
    ) -> dict[str, float]:
        """Looks up a training.

        Args:
            configuration: a network.
            budget: 1.
            seed: draws one of the three runs.
            context: not used.

        Returns:
            'cost', the test error in percent, and 'seconds', the millions of multiply-adds.

        Raises:
            TableError: there are no results at this budget, or for this configuration.
        """
        known_budget(budget, self.budgets)
        return self._runs.result(configuration, seed)

    @cached_property
    def _runs(self) -> Runs:
        found = _read(Path(self.path))
        choices = self.space.configuration_space
        names = [f"{stage}:operation" for stage in self.space.stages]
        place = [choices.index_of[name] for name in names]
        index = [
            {str(n): float(choices[name].to_vector(code)) for n, code in enumerate(MACRO_CODES)}
            for name in names
        ]
        rows, vector = {}, np.empty(len(choices))
        for row, code in enumerate(sorted(found)):
            vector[place] = [values[digit] for values, digit in zip(index, code, strict=True)]
            rows[vector.tobytes()] = row
        entries = [found[code] for code in sorted(found)]
        errors = 100.0 - padded([entry["test_acc"] for entry in entries])
        return Runs(rows, errors, np.array([entry["flops"] / 1e6 for entry in entries]))


def _read(path: Path) -> dict[str, dict[str, Any]]:
    """The entries of the file by code.

    Raises:
        TableError: it cannot be read, or holds something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TableError(
            f"{path} cannot be read ({error}): give the path of nas-bench-macro_cifar10.json "
            "of https://github.com/xiusu/NAS-Bench-Macro"
        ) from error
    if not isinstance(found, dict) or not found or not all(map(_complete, found.items())):
        raise TableError(
            f"{path} is not the file of NAS-Bench-Macro: it has a mapping with test_acc and "
            "flops for each code of eight digits 0, 1 or 2"
        )
    return found


def _complete(item: tuple[str, Any]) -> bool:
    code, entry = item
    well_named = len(code) == 8 and set(code) <= set("012")
    return well_named and isinstance(entry, dict) and {"test_acc", "flops"} <= set(entry)
