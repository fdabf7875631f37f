"""Every plot draws whatever a search can leave behind, or says why it cannot."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bonas import plot, report
from bonas.acquisition.candidates import Candidates
from bonas.analysis.importance import Importance
from bonas.surrogates import RandomForest
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.schedules.schedule import Start
from spaces.architecture.architecture import chain
from tests.bonas.plot.leftovers import HISTORIES, NAMES, evaluated, predictions
from tests.bonas.spaces import cells
from tests.fidelity.histories import start

FOREST, FEW = RandomForest(trees=8), Candidates(all_below=0, samples=8)


Drawn = Callable[[History, str], Axes]
OF_HISTORIES: dict[str, Drawn] = {
    "acquisition": lambda h, _: plot.acquisition(
        cells(), h, np.random.default_rng(0), surrogate=FOREST, candidates=FEW
    ),
    "anytime": lambda h, name: plot.anytime({name: h, "other": [h, h]}),
    "anytime, logarithmic": lambda h, name: plot.anytime(
        {name: [h, evaluated(0.1)], "other": h}, log=True, log_clock=True, clock="seconds"
    ),
    "calibration": lambda h, name: plot.calibration(
        {name: predictions(h), "other": predictions(h)}
    ),
    "embedding": lambda h, _: plot.embedding(cells(), h),
    "hypervolume": lambda h, name: plot.hypervolume({name: h, "other": [h, h]}, (10.0, 1.0)),
    "hypervolume, logarithmic": lambda h, name: plot.hypervolume(
        {name: h, "other": h}, (10.0, 1.0), best=8.0
    ),
    "importance": lambda h, _: plot.importance(h),
    "learning_curves": lambda h, _: plot.learning_curves(h),
    "mean_rank": lambda h, name: plot.mean_rank({name: [h], "other": [evaluated(0.1)]}),
    "mean_rank, both": lambda h, name: plot.mean_rank({name: [h, h], "other": [h, h]}),
    "pareto": lambda h, name: plot.pareto({name: h, "other": h}, after=(1, 2)),
    "predicted": lambda h, _: plot.predicted(predictions(h)),
    "rank_correlation": lambda h, _: plot.rank_correlation(h),
    "timeline": lambda h, _: plot.timeline(h),
}
WITHOUT_HISTORY: dict[str, Callable[[str], Axes]] = {
    "architecture": lambda name: plot.architecture(chain([name or "x"])),
    "canziani": lambda name: plot.canziani(
        {name: plot.Bubble(0.0, 0, 0), "other": plot.Bubble(-1.0, 10, 10)}
    ),
    "critical_difference": lambda name: plot.critical_difference({name: 1.5, "other": 1.5}, 0.5),
    "importance": lambda name: plot.importance({name: Importance(-0.1, 0.0)}),
    "no importance": lambda name: plot.importance({}),
    "no bubble": lambda name: plot.canziani({}),
    "no predictions": lambda name: plot.calibration({}),
}
TOO_FEW = "too few to fit a surrogate|have a cost|too few to measure importance"


def rendered(ax: Axes) -> str:
    """Return the plot as SVG with its texts as text; a warning is an error."""
    assert isinstance(ax.figure, Figure)
    written = StringIO()
    with plt.rc_context({"svg.fonttype": "none"}):
        ax.figure.savefig(written, format="svg")
    return written.getvalue()


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("name", OF_HISTORIES)
def test_it_draws_what_a_search_can_leave_behind_or_says_that_it_is_too_little(
    name: str, history: str
) -> None:
    try:
        rendered(OF_HISTORIES[name](HISTORIES[history], "mine"))
    except ValueError as error:
        told = str(error)
    else:
        return
    assert re.search(TOO_FEW, told), told


@pytest.mark.parametrize("given", NAMES)
@pytest.mark.parametrize("name", ["anytime", "calibration", "hypervolume", "mean_rank", "pareto"])
def test_every_series_has_its_name_in_the_legend(name: str, given: str) -> None:
    ax = OF_HISTORIES[name](HISTORIES["both signs"], given)
    texts = [text.get_text().strip() for text in ax.get_legend().get_texts()]
    told = given.replace("$", r"\$") or "(no name)"
    assert any(text.startswith(told) for text in texts), texts
    assert any(text.startswith("other") for text in texts), texts
    assert not given or given in rendered(ax)


@pytest.mark.parametrize("name", WITHOUT_HISTORY)
def test_names_are_drawn_letter_by_letter(name: str) -> None:
    for given in NAMES:
        picture = rendered(WITHOUT_HISTORY[name](given))
        if name in ("canziani", "critical_difference", "importance"):
            assert given in picture


@pytest.mark.parametrize("name", ["anytime", "hypervolume", "learning_curves", "mean_rank, both"])
def test_an_empty_plot_says_why_it_is_empty(name: str) -> None:
    ax = OF_HISTORIES[name](HISTORIES["empty"], "mine")
    assert any("yet" in text.get_text() for text in ax.texts)


def test_the_scale_is_logarithmic_only_where_all_costs_are_positive() -> None:
    def scale(*costs: float) -> str:
        return plot.anytime({"mine": evaluated(*costs)}, log=True).get_yscale()

    assert scale(3.0, 1.0) == "log"
    assert scale(3.0, 0.0) == "symlog"
    assert scale(3.0, -1.0) == scale(0.0) == scale(-1.0) == "linear"


def test_a_single_moment_is_a_visible_point() -> None:
    (line,) = plot.anytime({"mine": evaluated(0.5)}, clock="seconds").lines
    assert line.get_markevery() == 1


def test_no_point_is_lost_where_time_or_a_curve_begins_at_zero() -> None:
    clock = plot.anytime({"mine": evaluated(3.0, 2.0, 1.0)}, clock="seconds", log_clock=True)
    assert clock.get_xscale() == "symlog"
    made = evaluated(1.0)
    made.add_evaluation(Evaluation(start(made, Start(1.0)), cost=2.0))
    curves = plot.learning_curves(made)
    assert curves.get_xscale() == "symlog"
    assert [tick.get_text() for tick in curves.get_xticklabels()] == ["27", "1", "0"]


@pytest.mark.parametrize("history", HISTORIES)
def test_every_history_has_a_report(history: str, tmp_path: Path) -> None:
    assert "<h1>" in report(HISTORIES[history], tmp_path / "page.html").read_text(encoding="utf-8")
