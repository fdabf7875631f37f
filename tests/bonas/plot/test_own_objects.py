"""Plots and analyses accept the library's own objects, or say what they expected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bonas import Search, hyperparameter_importance, operation_importance, plot, report, strategies
from bonas.acquisition.candidates import Candidates
from bonas.analysis import cross_validated
from bonas.comparison import Comparison
from bonas.search.progress import Silent
from bonas.surrogates import RandomForest
from fidelity import Hyperband
from fidelity.history.history import History
from tests.bonas.plot.leftovers import HISTORIES, evaluated, predictions
from tests.bonas.spaces import cells, cost

FOREST, FEW = RandomForest(trees=8), Candidates(all_below=0, samples=8)


def seeds(*costs: float) -> dict[int, History]:
    return dict.fromkeys((0, 1), evaluated(*costs, objectives=("cost",)))


THREE = Comparison(
    {"a": seeds(3.0, 2.0), "_b": seeds(2.0, -1.0), "": seeds(5.0)}, {}, "evaluations"
)


@pytest.fixture(scope="module")
def search(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Search]:
    directory = tmp_path_factory.mktemp("run")
    with Search(
        cells(),
        cost,
        strategy=strategies.RandomSearch(),
        directory=directory,
    ) as made:
        made.run(evaluations=12, progress=Silent())
        yield made


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


OF_ONE: dict[str, Callable[[Any], object]] = {
    "acquisition": lambda one: plot.acquisition(
        cells(), one, rng(), surrogate=FOREST, candidates=FEW
    ),
    "anytime": plot.anytime,
    "cross_validated": lambda one: cross_validated(FOREST, cells(), one, rng()),
    "embedding": lambda one: plot.embedding(cells(), one),
    "hyperparameter_importance": lambda one: hyperparameter_importance(one, rng(), shuffles=1),
    "hypervolume": lambda one: plot.hypervolume(one, (9.0,)),
    "importance": plot.importance,
    "learning_curves": plot.learning_curves,
    "operation_importance": lambda one: operation_importance(cells(), one, rng(), shuffles=1),
    "pareto": lambda one: plot.pareto(one, quantities=("cost", "cost")),
    "rank_correlation": plot.rank_correlation,
    "timeline": plot.timeline,
}
OF_MANY = ("anytime", "hypervolume", "rank_correlation")
"""Plots of comparisons; the others require one of its histories."""


@pytest.mark.parametrize("name", OF_ONE)
def test_a_search_and_its_directory_stand_for_their_history(name: str, search: Search) -> None:
    for source in (search.history, search, search.directory, str(search.directory)):
        assert OF_ONE[name](source) is not None
        plt.close("all")


@pytest.mark.parametrize("name", OF_ONE)
def test_what_holds_no_history_is_refused_with_what_was_expected(name: str, search: Search) -> None:
    for wrong in (search.history.evaluations[0], Search, History, 3, None):
        with pytest.raises(TypeError, match="expected a history, a search or the directory of a"):
            OF_ONE[name](wrong)
    if name in OF_MANY:
        OF_ONE[name](THREE)
    else:
        with pytest.raises(TypeError, match="not an object of type Comparison: choose one of"):
            OF_ONE[name](THREE)


def test_a_comparison_and_its_tests_are_drawn_as_they_are() -> None:
    ranks = plot.mean_rank(THREE)
    assert ranks.get_xlabel() == "evaluations"
    assert plot.anytime(THREE).get_xlabel() == "evaluations"
    assert plot.anytime(THREE, clock="epochs").get_xlabel() == "epochs trained"
    drawn = [
        [text.get_text() for text in ax.texts]
        for ax in (
            plot.critical_difference(THREE.test()),
            plot.critical_difference(THREE),
            THREE.test().plot(),
        )
    ]
    assert drawn[0] == drawn[1] == drawn[2]
    assert " _b  1.00" in drawn[0]


def test_a_setup_that_found_nothing_leaves_no_seed_to_rank() -> None:
    failed = Comparison({"a": {0: evaluated(1.0)}, "b": {0: evaluated(None)}}, {}, "epochs")
    with pytest.raises(ValueError, match="two names or more"):
        plot.mean_rank(failed)


SINGLE: dict[str, tuple[Callable[[Any], object], str]] = {
    "architecture": (plot.architecture, "the graph of an architecture"),
    "brackets": (plot.brackets, "a schedule of brackets"),
    "calibration": (plot.calibration, "cross_validated"),
    "canziani": (plot.canziani, "names to `plot.Bubble`"),
    "critical_difference": (plot.critical_difference, "mean ranks by name"),
    "predicted": (plot.predicted, "cross_validated"),
    "space_tree": (plot.space_tree, "a ConfigurationSpace or a space of architectures"),
    "embedding": (lambda one: plot.embedding(one, HISTORIES["zero"]), r"`search\.space`"),
    "report": (lambda one: report(one, "page.html"), "a history, a search or the directory"),
}


@pytest.mark.parametrize("name", SINGLE)
def test_another_object_is_refused_with_what_was_expected(name: str, search: Search) -> None:
    draw, expected = SINGLE[name]
    given = [search.history.evaluations[0], Hyperband, 3]
    given += [] if name == "report" else [search, search.history]
    given += [] if name == "critical_difference" else [THREE]
    for wrong in given:
        with pytest.raises(
            TypeError, match=f"expected .*{expected}.*, not (an object of|the class)"
        ):
            draw(wrong)


def test_what_is_drawn_by_name_may_be_single_and_a_space_has_its_choices() -> None:
    assert plot.calibration(predictions(HISTORIES["negative"])).get_legend() is None
    drawn = [
        [text.get_text() for text in plot.space_tree(space).texts]
        for space in (cells(), cells().configuration_space)
    ]
    assert drawn[0] == drawn[1]


def test_mean_ranks_alone_need_their_critical_difference() -> None:
    with pytest.raises(
        ValueError, match=r"give the critical difference, or `comparison\.test\(\)`"
    ):
        plot.critical_difference({"a": 1.0, "b": 2.0})
