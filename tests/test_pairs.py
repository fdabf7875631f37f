"""Every strategy goes with every schedule: the table in the docs is what runs here.

A new strategy or schedule of the package that has no line here fails the test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from ConfigSpace import Configuration

import bonas.strategies
import fidelity.schedules
from bonas import Search
from bonas.runners import Simulated
from bonas.search.progress import Silent
from bonas.strategies import (
    DARTS,
    GDAS,
    NSGA2,
    PPO,
    SMAC,
    BayesianOptimization,
    DifferentialEvolution,
    DrNAS,
    LocalSearch,
    MultiFidelityBayesianOptimization,
    MultiObjectiveBayesianOptimization,
    ParEGO,
    RandomSearch,
    RegularizedEvolution,
    Reinforce,
    Screened,
    SinglePathOneShot,
    StartFrom,
)
from bonas.strategies.gradient.bilevel import Bilevel
from bonas.strategies.strategy import Strategy
from fidelity import SGD, OneShot, datasets
from fidelity.schedules import (
    AsynchronousHalving,
    AsynchronousHyperband,
    AsynchronousStopping,
    CurveStopping,
    FullFidelity,
    Hyperband,
    ProgressiveHalving,
    Schedule,
    SuccessiveHalving,
)
from fidelity.tables import MNIST1DCells
from tests.golden import check

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "schedules.md"
TABLE = MNIST1DCells()
EPOCHS = TABLE.max_budget
EVALUATIONS = 14
# The published rates, with which the golden histories were recorded.
SHORT = Bilevel(
    datasets.mnist1d(), epochs=1, optimizer=SGD(0.025, 0.9, 3e-4), architecture_rate=3e-4
)


def _minus_convolutions(configuration: Configuration) -> float:
    return -float(list(configuration.values()).count("nor_conv_3x3"))


STRATEGIES: Mapping[str, Callable[[], Strategy]] = {
    "RandomSearch": RandomSearch,
    "BayesianOptimization": lambda: BayesianOptimization(initial=4),
    "MultiFidelityBayesianOptimization": lambda: MultiFidelityBayesianOptimization(initial=4),
    "MultiObjectiveBayesianOptimization": lambda: MultiObjectiveBayesianOptimization(initial=4),
    "ParEGO": lambda: ParEGO(BayesianOptimization(initial=4)),
    "SMAC": SMAC,
    "RegularizedEvolution": lambda: RegularizedEvolution(population=4, sample_size=2),
    "NSGA2": lambda: NSGA2(population=4),
    "DifferentialEvolution": lambda: DifferentialEvolution(population=4),
    "LocalSearch": lambda: LocalSearch(initial=4),
    "Reinforce": lambda: Reinforce(batch=4),
    "PPO": lambda: PPO(batch=4),
    "DARTS": lambda: DARTS(SHORT),
    "GDAS": lambda: GDAS(SHORT),
    "DrNAS": lambda: DrNAS(SHORT),
    "SinglePathOneShot": lambda: SinglePathOneShot(
        OneShot(replace(TABLE.training(), max_epochs=1)), RegularizedEvolution(4, 2), 20
    ),
    "Screened": lambda: Screened(_minus_convolutions, samples=4),
    "StartFrom": lambda: StartFrom(
        (TABLE.space.configuration_space.get_default_configuration(),), RandomSearch()
    ),
}
SCHEDULES: Mapping[str, Callable[[], Schedule]] = {
    "FullFidelity": lambda: FullFidelity(EPOCHS),
    "SuccessiveHalving": lambda: SuccessiveHalving(3, EPOCHS),
    "Hyperband": lambda: Hyperband(3, EPOCHS),
    "AsynchronousHalving": lambda: AsynchronousHalving(3, EPOCHS),
    "AsynchronousStopping": lambda: AsynchronousStopping(3, EPOCHS),
    "AsynchronousHyperband": lambda: AsynchronousHyperband(3, EPOCHS),
    "ProgressiveHalving": lambda: ProgressiveHalving(3, EPOCHS),
    "CurveStopping": lambda: CurveStopping(EPOCHS, step=9),
}
BOTH_IN_ONE = {"FreezeThaw"}
"""A strategy and a schedule in one object, which goes with itself alone."""


def pair(strategy: str, schedule: str) -> Search:
    """A search that has run with both."""
    chosen = Search(
        TABLE.space, TABLE, strategy=STRATEGIES[strategy](), schedule=SCHEDULES[schedule]()
    )
    with chosen as search:
        search.run(evaluations=EVALUATIONS, runner=Simulated(2), progress=Silent())
    return search


# SMAC3 calls what ConfigSpace has deprecated.
@pytest.mark.filterwarnings("ignore:.*get_dictionary:DeprecationWarning")
@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_pair_on_real_curves(strategy: str, schedule: str) -> None:
    search = pair(strategy, schedule)
    history = search.history
    assert len(history) == EVALUATIONS
    assert all(evaluation.succeeded for evaluation in history.evaluations)
    assert search.incumbent is not None
    assert TABLE.regret(search.incumbent.trial.configuration) < 50
    highest = max(trial.budget for trial in history.trials)
    assert highest == EPOCHS if schedule == "FullFidelity" else highest > 3
    check(f"{strategy} × {schedule}", history)


def _with(package: object, method: str) -> set[str]:
    """The public classes of a package that have a method of their own, Protocols left out."""
    classes = {name: getattr(package, name) for name in package.__all__}  # type: ignore[attr-defined]
    return {
        name
        for name, kind in classes.items()
        if callable(getattr(kind, method, None)) and not getattr(kind, "_is_protocol", False)
    }


def test_nothing_is_left_out() -> None:
    assert _with(bonas.strategies, "propose") - BOTH_IN_ONE == set(STRATEGIES)
    assert _with(fidelity.schedules, "continuable") == set(SCHEDULES)


def table() -> str:
    """What the page on schedules shows."""
    lines = [
        f"| | {' | '.join(f'`{name}`' for name in SCHEDULES)} |",
        "| --- " + "| :-: " * 8 + "|",
    ]
    lines += [f"| `{name}` " + "| ✓ " * len(SCHEDULES) + "|" for name in STRATEGIES]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("page", "names"),
    [("strategies", [*STRATEGIES, "FreezeThaw"]), ("schedules", [*SCHEDULES])],
)
def test_the_docs_say_when_not_to_use_it(page: str, names: list[str]) -> None:
    text = (PAGE.parent / f"{page}.md").read_text(encoding="utf-8")
    section = text.partition("## When not to use it\n")[2].partition("\n## ")[0]
    first = " ".join(line.split("|")[1] for line in section.splitlines() if line.startswith("| `"))
    assert [name for name in names if f"`{name}`" not in first] == []


def test_the_table_in_the_docs_is_this_one() -> None:
    shown = re.search(
        r"<!-- pairs -->\n(.*?)\n<!-- /pairs -->", PAGE.read_text(encoding="utf-8"), re.S
    )
    assert shown is not None
    assert shown[1].strip() == table(), "put what tests.test_pairs.table() returns there"
