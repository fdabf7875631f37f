"""The main job, end to end, on real images and in minutes: `make demo`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bonas.progress import Progress
from bonas.search import Search
from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.strategy import Strategy
from fidelity.checkpoint import Checkpoint
from fidelity.data import DataError, Dataset
from fidelity.datasets import digits, fashion_mnist
from fidelity.history import History
from fidelity.objective import Context
from fidelity.schedules.hyperband import Hyperband
from fidelity.training import FinalReport, Training
from spaces.cell import CellSpace
from spaces.cost import cost

EPOCHS = 138.0  # two rounds of Hyperband for each strategy
STRATEGIES: Mapping[str, Strategy] = {
    "random search x Hyperband": RandomSearch(),
    "Bayesian optimization x Hyperband": BayesianOptimization(),
}


def demo(directory: Path, seed: int, epochs: float = EPOCHS) -> None:
    """Compares two strategies at the same number of epochs; started again, it goes on.

    Args:
        directory: gets a history for each strategy, `anytime.png`, `architecture.png` and
            `summary.txt`.
        seed: of both searches.
        epochs: that each strategy may train.
    """
    from rich.console import Console

    console = Console()
    space = CellSpace.nasbench201(channels=8, cells=1)
    dataset = _images()
    training = Training(space, dataset, max_epochs=9, batch_size=64)
    console.print(
        f"Two searches among the 15,625 cells of NAS-Bench-201 on {dataset.name}: "
        f"{len(dataset.train)} images to train on, {len(dataset.validation)} to compare by, "
        f"{len(dataset.test)} for the end. Stop this whenever you like: it goes on from there."
    )
    searches = {
        name: Search(
            space,
            training,
            strategy=strategy,
            schedule=Hyperband(min_budget=1, max_budget=9),
            directory=directory / name.split()[0].lower(),
            seed=seed,
        )
        for name, strategy in STRATEGIES.items()
    }
    for name, search in searches.items():
        search.run(epochs=epochs, progress=Progress(name))
    reports = {name: _final(search, training) for name, search in searches.items()}
    _summarise(searches, reports, training, directory, console)
    _draw(searches, directory)
    console.print(f"History, pictures and summary are in {directory}")
    for search in searches.values():
        search.close()


def _images() -> Dataset:
    """A few thousand images of Fashion-MNIST where it is installed, digits otherwise."""
    try:
        return fashion_mnist().subset(4000, seed=0)
    except DataError:
        return digits()


def _final(search: Search, training: Training) -> FinalReport | None:
    """The incumbent at full budget; its checkpoint saves the training where it is there."""
    incumbent = search.incumbent
    if incumbent is None:
        return None
    context = Context(Checkpoint(source=search.checkpoint(incumbent)))
    return training.final(incumbent.trial.configuration, incumbent.trial.seed, context)


def _summarise(
    searches: Mapping[str, Search],
    reports: Mapping[str, FinalReport | None],
    training: Training,
    directory: Path,
    console: object,
) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"The best network of each search, trained {training.max_epochs} epochs")
    columns = ("search", "evaluations", "seconds", "validation error", "test error")
    for column in (*columns, "parameters", "multiply-adds"):
        table.add_column(column, justify="left" if column == "search" else "right")
    for name, search in searches.items():
        report = reports[name]
        history = search.history
        seconds = sum(evaluation.seconds for evaluation in history.evaluations)
        row = [name, str(len(history)), f"{seconds:.0f}"]
        if report is None:
            table.add_row(*row, "every training failed")
            continue
        resources = cost(report.network, training.dataset.input_shape)
        table.add_row(
            *row,
            f"{report.validation_error:.2%}",
            f"{report.test_error:.2%}",
            f"{resources.parameters:,}",
            f"{resources.multiply_adds:,}",
        )
    for target in (console, Console(file=(directory / "summary.txt").open("w"), width=120)):
        assert isinstance(target, Console)
        target.print(table)


def _draw(searches: Mapping[str, Search], directory: Path) -> None:
    from bonas.plot.anytime import anytime
    from bonas.plot.architecture import architecture

    histories: dict[str, History] = {name: s.history for name, s in searches.items()}
    ax = anytime(histories, label="lowest validation error so far")
    ax.set_yscale("log")
    ax.figure.savefig(directory / "anytime.png", dpi=150)
    best = min(
        (s.incumbent for s in searches.values() if s.incumbent is not None),
        key=lambda evaluation: evaluation.cost,
        default=None,
    )
    if best is not None:
        space = next(iter(searches.values())).space
        title = f"best cell, validation error {best.cost:.2%}"
        ax = architecture(space.architecture(best.trial.configuration), title=title)
        ax.figure.savefig(directory / "architecture.png", dpi=150)
