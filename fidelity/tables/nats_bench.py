"""The topologies of NATS-Bench (Dong et al. 2021) from its own files, with learning curves."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from ConfigSpace import Configuration

from fidelity.objective import Context
from fidelity.tables.table import TableError
from spaces.cells.cell import CellSpace

NAMES = {"cifar10": "cifar10-valid", "cifar100": "cifar100", "imagenet": "ImageNet16-120"}
EPOCHS = 200


@dataclass(frozen=True)
class NATSBench:
    """The 15,625 cells of NATS-Bench at every epoch of their training of 200 epochs.

    A resumed training takes the time of its additional epochs, and of one validation.

    The files are large and in no package index: this class was never tried on them. Its tests use
    a fake of their reader; once it was tried with the reader itself (nats_bench 1.8) on a made-up
    file of three cells.

    Attributes:
        path: the file NATS-tss-v1_0-3ffb9.pickle.pbz2, read whole, or the folder
            NATS-tss-v1_0-3ffb9-simple, of which each cell is read when it is looked up.
            These are pickles: use only those of their authors.
        dataset: 'cifar10', 'cifar100' or 'imagenet' (ImageNet16-120). Where an epoch of the
            latter two was not evaluated on the validation part alone, the accuracy on
            validation and test images together is taken, as NATS-Bench's own simulation does.

    Raises:
        TableError: the data set is unknown.
    """

    path: str | Path
    dataset: str = "cifar10"

    def __post_init__(self) -> None:
        if self.dataset not in NAMES:
            raise TableError(
                f"NATS-Bench has the data sets {', '.join(NAMES)}, not '{self.dataset}'"
            )

    @cached_property
    def space(self) -> CellSpace:
        """The 15,625 cells."""
        return CellSpace.nasbench201()

    @property
    def max_budget(self) -> float:
        """200 epochs."""
        return float(EPOCHS)

    @property
    def budgets(self) -> tuple[float, ...]:
        """All whole numbers of epochs."""
        return tuple(float(epoch) for epoch in range(1, EPOCHS + 1))

    @cached_property
    def optimum(self) -> float:
        """The lowest mean validation error after 200 epochs, in percent; reads every cell."""
        return min(self._mean(index) for index in range(len(self._api)))

    def regret(self, configuration: Configuration) -> float:
        """Return the mean validation error after 200 epochs above the optimum, in percent."""
        return self._mean(self._index(configuration)) - self.optimum

    def __call__(
        self,
        configuration: Configuration,
        budget: float,
        seed: int = 0,
        context: Context | None = None,
    ) -> dict[str, float]:
        """Return the result of a training.

        Args:
            configuration: a cell.
            budget: a whole number of epochs, at most 200.
            seed: draws one of the runs.
            context: with the number of epochs that the training resumes from.

        Returns:
            'cost', the validation error in percent, and 'seconds' since those epochs.

        Raises:
            TableError: there is no such epoch or cell in the files.
        """
        epoch = round(budget)
        if abs(budget - epoch) > 1e-6 * budget or not 1 <= epoch <= EPOCHS:
            raise TableError(
                f"NATS-Bench has results after whole epochs from 1 to {EPOCHS}, not after "
                f"{budget:g}: choose a schedule with such budgets"
            )
        index = self._index(configuration)
        runs = self._runs(index)
        run = runs[int(np.random.default_rng([seed, index]).integers(len(runs)))]
        entry = self._look_up(index, run, epoch)
        resumed = 0.0 if context is None else context.resumed
        validation = entry.get("valid-per-time")
        if validation is None:
            validation = self._look_up(index, run, EPOCHS)["valid-per-time"]
        return {
            "cost": _error(entry),
            "seconds": entry["train-per-time"] * (epoch - resumed) + validation,
        }

    def _look_up(self, index: int, run: int, epoch: int) -> dict[str, Any]:
        return dict(
            self._api.get_more_info(
                index, NAMES[self.dataset], iepoch=epoch - 1, hp=str(EPOCHS), is_random=run
            )
        )

    def _runs(self, index: int) -> list[int]:
        results = self._api.query_meta_info_by_index(index, hp=str(EPOCHS))
        return list(results.get_dataset_seeds(NAMES[self.dataset]))

    def _mean(self, index: int) -> float:
        errors = [_error(self._look_up(index, run, EPOCHS)) for run in self._runs(index)]
        return float(np.mean(errors))

    def _index(self, configuration: Configuration) -> int:
        cell = self.space.to_string(configuration)
        index = int(self._api.query_index_by_arch(cell))
        if index < 0:
            raise TableError(f"the files of NATS-Bench in {self.path} have no cell {cell}")
        return index

    @cached_property
    def _api(self) -> Any:
        path = Path(self.path)
        if not path.exists():
            raise TableError(
                f"there is no {path}: give the file or folder of NATS-Bench's topologies, from "
                "https://github.com/D-X-Y/NATS-Bench"
            )
        try:
            import nats_bench
        except ImportError as error:
            raise TableError(
                "the files of NATS-Bench are read by the package nats_bench, which is not "
                "installed: pip install nats_bench"
            ) from error
        return nats_bench.create(str(path), "tss", fast_mode=path.is_dir(), verbose=False)


def _error(entry: dict[str, Any]) -> float:
    """Return the validation error in percent."""
    accuracy = entry.get("valid-accuracy")
    return 100.0 - float(entry["valtest-accuracy"] if accuracy is None else accuracy)
