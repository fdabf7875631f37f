"""The tables of `multifidelity.py`, and their clocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from fidelity.tables import MNIST1DCells, NASBench201

DATA = Path(__file__).parents[2] / "shared" / "data" / "nasbench201_12epochs.csv.gz"
RESULTS = Path(__file__).parent / "results"
HOURS = (1, 1.5, 2, 2.5, 3, 3.75, 4.5, 6, 8, 10, 11.5, 13, 16, 20, 25, 30, 40, 50, 60, 76)
MARKS = (1.5, 3, 4.5, 6, 8, 10, 13, 20, 25, 30, 50, 76)
"""Some of `HOURS`, for the table."""


@dataclass(frozen=True)
class Problem:
    """A table, and the times at which a search of it is recorded.

    Attributes:
        name: of its files.
        title: of its picture.
        dataset: of NAS-Bench-201; None is the table in the package.
        short: the lowest budget.
        full: the highest.
        eta: the factor between budgets.
        unit: of simulated time, "h" or "s".
        grid: times at which a row is written.
        marks: those of them that are in the table.
        until: the time at which searches with several budgets end.
        epochs: the name of the budgets in the title.
    """

    name: str
    title: str
    dataset: str | None
    short: float
    full: float
    eta: float
    unit: str
    grid: tuple[float, ...]
    marks: tuple[float, ...]
    until: float
    epochs: str

    @cached_property
    def table(self) -> NASBench201 | MNIST1DCells:
        """The table of results."""
        return MNIST1DCells() if self.dataset is None else NASBench201(self.dataset, DATA)

    @property
    def seconds(self) -> float:
        """The seconds of one unit of time."""
        return 3600.0 if self.unit == "h" else 1.0

    @property
    def percent(self) -> float:
        """The factor from the table's errors to percent."""
        return 100.0 if self.dataset is None else 1.0

    @property
    def rows(self) -> Path:
        """The file of its rows."""
        return RESULTS / f"multifidelity_{self.name}.csv"


def _nasbench201(dataset: str, title: str, stretch: float) -> Problem:
    """A problem of two budgets, with training runs about `stretch` times those of CIFAR-10."""
    return Problem(
        name=dataset,
        title=f"NAS-Bench-201, {title}",
        dataset=dataset,
        short=12.0,
        full=200.0,
        eta=200.0 / 12.0,
        unit="h",
        grid=tuple(stretch * hours for hours in HOURS),
        marks=tuple(stretch * hours for hours in MARKS),
        until=stretch * 13.0,
        epochs="12 and 200 epochs",
    )


PROBLEMS: Mapping[str, Problem] = {
    "cifar10": _nasbench201("cifar10", "CIFAR-10", 1.0),
    "cifar100": _nasbench201("cifar100", "CIFAR-100", 2.0),
    "imagenet": _nasbench201("imagenet", "ImageNet16-120", 6.0),
    "mnist1d": Problem(
        name="mnist1d",
        title="The table in the package, MNIST-1D",
        dataset=None,
        short=1.0,
        full=27.0,
        eta=3.0,
        unit="s",
        grid=(1, 2, 3, 4, 5, 7, 10, 13, 16, 20, 25, 30, 40, 60, 100, 150, 200, 250),
        marks=(1, 2, 3, 5, 7, 10, 13, 20, 30, 40, 60, 100, 150, 200),
        until=45.0,
        epochs="1 to 27 epochs, resumed",
    ),
}
