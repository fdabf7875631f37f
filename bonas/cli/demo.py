"""`bonas demo`: two strategies on real images, in minutes."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bonas.search.progress import Progress
from bonas.search.search import Search
from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.strategy import Strategy
from bonas.terminal import console
from fidelity.checkpoint import Checkpoint
from fidelity.datasets import digits, fashion_mnist
from fidelity.datasets.dataset import DataError, Dataset
from fidelity.datasets.split import split
from fidelity.objective import Context
from fidelity.schedules.full import FullFidelity
from fidelity.training.optimizers import SGD
from fidelity.training.training import FinalReport, Training
from spaces.hierarchical.macro_space import MacroSpace
from spaces.motifs.families import Family, plain
from spaces.motifs.layers import Convolution
from spaces.motifs.motifs import Stage
from spaces.resources.resources import cost

if TYPE_CHECKING:
    from rich.table import Table

# Per strategy: 30 networks.
EPOCHS = 270.0
MAX_EPOCHS = 9.0
SCHEDULE = FullFidelity(MAX_EPOCHS)
# More images for validation than for training: a training run takes seconds, and the standard
# error is small against the differences between networks. There are 1,437 digits for both.
TRAIN, VALIDATION = 600, 800
STRATEGIES: Mapping[str, Strategy] = {
    "random search": RandomSearch(),
    "Bayesian optimization": BayesianOptimization(),
}
WIDTHS = {"stage1": (2, 4, 8, 16), "stage2": (4, 8, 16, 32), "stage3": (8, 16, 32, 64)}
KERNELS = (1, 3, 5)

ROWS = (
    "evaluations",
    "seconds of training",
    "validation error",
    "test error",
    "parameters",
    "multiply-adds",
)


def demo(
    directory: Path, seed: int = 0, epochs: float = EPOCHS, dataset: Dataset | None = None
) -> None:
    """Compare two strategies at the same number of epochs; the same call resumes.

    Args:
        directory: receives the histories in `random` and `bayesian`, `anytime.png`,
            `architecture.png` and `summary.txt`.
        seed: of both searches.
        epochs: that each strategy may train.
        dataset: to train on; by default a part of Fashion-MNIST where it is installed, and
            the digits of scikit-learn otherwise.

    Raises:
        JournalError: the directory cannot be written, is in use, or holds other searches.
    """
    from rich.console import Console

    shown = console()
    training = objective(dataset or images())
    space, dataset = training.space, training.dataset
    shown.print(
        f"Two searches over convolutional networks of three stages on {dataset.name}: "
        f"{len(dataset.train)} images for training, {len(dataset.validation)} for validation, "
        f"{len(dataset.test)} for the final test. A search chooses width, depth and kernels of "
        f"each stage. Each may train {epochs:g} epochs, {training.max_epochs:g} per network. "
        "Stop at any time: the same command resumes."
    )
    with ExitStack() as stack:
        searches: dict[str, Search] = {}
        for name, strategy in STRATEGIES.items():
            # Made only now, because the clock of a search starts here.
            searches[name] = stack.enter_context(
                Search(
                    space,
                    training,
                    strategy=strategy,
                    schedule=SCHEDULE,
                    directory=directory / name.split()[0].lower(),
                    seed=seed,
                )
            )
            searches[name].run(epochs=epochs, progress=Progress(name))
        reports = {name: _final(search, training) for name, search in searches.items()}
        table = _summary(searches, reports, training)
        _draw(searches, directory)
    shown.print(table)
    with (directory / "summary.txt").open("w", encoding="utf-8") as file:
        Console(file=file, width=80).print(table)
    shown.print(f"Histories, figures and this summary are in {directory}")


def objective(dataset: Dataset) -> Training:
    """Return the objective of both searches, with its space.

    Good networks are rare: at a low learning rate, few of them get far in nine epochs.
    """
    rows = dataset.input_shape[1]
    return Training(
        space(stem_stride=2 if rows > 16 else 1),
        dataset,
        max_epochs=MAX_EPOCHS,
        batch_size=32,
        optimizer=SGD(0.01),
    )


def space(stem_stride: int = 1) -> MacroSpace:
    """Return networks of three stages of one to three convolutions each.

    The second and the third stage halve the resolution.

    Args:
        stem_stride: of the convolution before the stages: 2 for large images, 1 for small ones.
    """
    stages = {}
    for name, widths in WIDTHS.items():
        stride = 1 if name == "stage1" else 2
        family = Family(plain, {"width": widths, "stride": (stride,)}, {"kernel": KERNELS})
        stages[name] = Stage({"convolution": family}, (1, 3))
    return MacroSpace(stages, (Convolution(8, stride=stem_stride),), ())


def images() -> Dataset:
    """Return the images of the demonstration: a part of Fashion-MNIST, or else of the digits."""
    try:
        return reduced(fashion_mnist())
    except DataError:
        return reduced(digits())


def reduced(dataset: Dataset) -> Dataset:
    """Return a data set with `TRAIN` images for training, `VALIDATION` others for validation."""
    pool = dataset.train.joined(dataset.validation)
    strata = dataset.task.strata(pool.targets)
    train, validation = split(pool, VALIDATION, np.random.default_rng(0), strata)
    return replace(dataset, train=train, validation=validation).subset(TRAIN, seed=0)


def _final(search: Search, training: Training) -> FinalReport | None:
    """Evaluate the incumbent at full budget, from its checkpoint if that still exists."""
    incumbent = search.incumbent
    if incumbent is None:
        return None
    context = Context(Checkpoint(source=search.checkpoint(incumbent)))
    return training.final(incumbent.trial.configuration, incumbent.trial.seed, context)


def _summary(
    searches: Mapping[str, Search],
    reports: Mapping[str, FinalReport | None],
    training: Training,
) -> Table:
    from rich.table import Table

    dataset = training.dataset
    errors = [report.validation_cost for report in reports.values() if report is not None]
    table = Table(title=f"The best network of each search after {training.max_epochs:g} epochs")
    if errors:
        spread = max((e * (1 - e) / len(dataset.validation)) ** 0.5 for e in errors)
        table.caption = (
            f"Standard error of these validation errors, with {len(dataset.validation)} images: "
            f"up to {spread:.2%}; smaller differences are not significant."
        )
    table.add_column("")
    columns = []
    for name, search in searches.items():
        table.add_column(name, justify="right")
        report = reports[name]
        seconds = sum(evaluation.seconds for evaluation in search.history.evaluations)
        spent = [str(len(search.history)), f"{seconds:.0f}"]
        if report is None:
            columns.append([*spent, "nothing succeeded", "", "", ""])
            continue
        resources = cost(report.network, dataset.input_shape)
        rates = [f"{report.validation_cost:.2%}", f"{report.test_cost:.2%}"]
        size = [f"{resources.parameters:,}", f"{resources.multiply_adds:,}"]
        columns.append([*spent, *rates, *size])
    for row in zip(ROWS, *columns, strict=True):
        table.add_row(*row)
    return table


def _draw(searches: Mapping[str, Search], directory: Path) -> None:
    import matplotlib.pyplot as plt

    from bonas.plot import anytime, architecture

    histories = {name: search.history for name, search in searches.items()}
    axes = {"anytime": anytime(histories, label="lowest validation error so far", log=True)}
    incumbents = [s.incumbent for s in searches.values() if s.incumbent is not None]
    if incumbents:
        best = min(incumbents, key=lambda evaluation: evaluation.cost)
        space = next(iter(searches.values())).space
        axes["architecture"] = architecture(
            space.architecture(best.trial.configuration),
            title=f"The best network: validation error {best.cost:.1%}",
        )
    for name, ax in axes.items():
        if (figure := ax.get_figure(root=True)) is not None:
            figure.savefig(directory / f"{name}.png", dpi=150)
            plt.close(figure)
