"""The name and the unit of a task's cost, wherever a search is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ConfigSpace import Configuration

from bonas import plot
from bonas.cli.status import status
from bonas.comparison.comparison import Comparison
from bonas.reports.report import report
from bonas.search.directory import SearchDirectory
from bonas.search.progress import Progress, Silent, table
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity.axes.combined import Combined
from fidelity.axes.epochs import Epochs
from fidelity.axes.single_axis import AlongAxis
from fidelity.datasets.arrays import from_arrays
from fidelity.history import journal
from fidelity.history.goal import Maximize
from fidelity.history.history import History
from fidelity.one_shot.one_shot import OneShot
from fidelity.one_shot.one_shot_then import OneShotThen
from fidelity.tasks.task import Measure
from fidelity.training.training import Training
from spaces.perceptrons import Perceptrons
from spaces.space import Space
from tests.bonas.spaces import cells

ERROR, RMSE = Measure("error", fraction=True), Measure("RMSE")


class Measured:
    """Has a cost that is the error of something, and a measure of it."""

    max_budget = 3.0

    def __init__(self, measure: Measure) -> None:
        self.measure = measure

    def __call__(self, configuration: Configuration, budget: float) -> dict[str, float]:
        return {"cost": 0.25 / budget, "accuracy": 0.75, "size": 10.0}


def searched(measure: Measure, directory: Path | None = None, **settings: Any) -> Search:
    made = Search(
        cells(), Measured(measure), strategy=RandomSearch(), directory=directory, **settings
    )
    made.run(evaluations=3, progress=Silent())
    return made


def test_a_training_and_what_contains_it_tell_the_measure_of_the_task() -> None:
    space: Space = Perceptrons()
    rng = np.random.default_rng(0)
    data = from_arrays(rng.normal(size=(30, 3)), rng.normal(size=30))
    training = Training(space, data, max_epochs=2.0)
    one_shot = OneShot(training)
    for objective in (
        training,
        AlongAxis(training, Epochs()),
        Combined(training, {Epochs(): 1.0}),
        one_shot,
        OneShotThen(one_shot, training),
    ):
        assert objective.measure == RMSE
        with Search(space, objective, strategy=RandomSearch()) as made:
            assert made.history.goal.measure == RMSE


def test_costs_that_are_another_quantity_have_no_measure() -> None:
    assert searched(ERROR, objectives=(Maximize("accuracy"),)).history.goal.measure.name == "cost"
    assert searched(ERROR, objectives=("cost", "size")).history.goal.measure == ERROR

    def measure() -> float:
        return 1.0

    own = Measured(ERROR)
    own.measure = measure  # type: ignore[assignment]
    with Search(cells(), own, strategy=RandomSearch()) as made:
        assert made.history.goal.measure == Measure("cost")


def test_it_is_in_the_summary_and_in_the_progress() -> None:
    history = searched(ERROR).history
    assert history.summary.endswith("best error 8.33% at budget 3")
    assert "<th>error</th>" in history.html()
    assert history.best_text == "best error 8.33%"
    shown = table("search", history, "")
    assert "error" in [column.header for column in shown.columns]
    assert searched(RMSE).history.best_text == "best RMSE 0.08333"
    assert isinstance(Progress(), Silent)


def test_it_is_read_back_from_the_directory_and_shown_in_status_and_report(
    tmp_path: Path,
) -> None:
    with searched(ERROR, tmp_path / "run"):
        pass
    stored = SearchDirectory.read(tmp_path / "run")
    assert stored.history.goal.measure == ERROR
    assert any(line.startswith("best error 8.33% at budget 3 ") for line in status(stored))
    page = report(tmp_path / "run", tmp_path / "page.html").read_text(encoding="utf-8")
    assert "Lowest error so far" in page
    assert "8.33%" in page
    assert "cost so far" not in page


def test_a_directory_without_a_measure_opens_and_resumes(tmp_path: Path) -> None:
    with searched(ERROR, tmp_path):
        pass
    file = tmp_path / "history.jsonl"
    first, *rest = file.read_bytes().splitlines(keepends=True)
    manifest = journal.decode(first)
    assert manifest.pop("measure") == {"name": "error", "fraction": True}
    file.write_bytes(b"".join([journal.encode(manifest), *rest]))
    assert History.load(tmp_path).best_text == "best cost 0.08333"
    with searched(ERROR, tmp_path) as resumed:
        assert resumed.history.best_text == "best error 8.33%"


def test_plots_are_labelled_with_it() -> None:
    error, rmse = searched(ERROR).history, searched(RMSE).history
    ax = plot.anytime(error, log=True)
    assert ax.get_ylabel() == "lowest error so far"
    assert ax.yaxis.get_major_formatter()(0.25, 0) == "25%"
    assert plot.anytime({"a": error, "b": rmse}).get_ylabel() == "lowest cost so far"
    assert plot.anytime(rmse).get_ylabel() == "lowest RMSE so far"
    own = plot.anytime(error, label="validation error")
    assert own.get_ylabel() == "validation error"
    assert "%" not in own.yaxis.get_major_formatter()(0.25, 0)
    curves = plot.learning_curves(error)
    assert curves.get_ylabel() == "error"
    assert plot.embedding(cells(), rmse).figure.axes[-1].get_ylabel() == "RMSE"
    front = plot.pareto(error, quantities=("size", "cost"))
    assert (front.get_xlabel(), front.get_ylabel()) == ("size", "error")
    assert front.yaxis.get_major_formatter()(0.25, 0) == "25%"


def test_a_comparison_names_it() -> None:
    runs = {"a": {0: searched(ERROR).history}}
    compared = Comparison(runs, {}, "evaluations")
    assert compared.measure == "lowest error"
    assert compared.plot().get_ylabel() == "lowest error so far"


@pytest.mark.parametrize("cost", [1e-6, 12345.678])
def test_costs_of_any_size_are_legible(cost: float) -> None:
    assert float(Measure("RMSE").text(cost)) == pytest.approx(cost, rel=1e-3)
