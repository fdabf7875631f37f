from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bonas.plot import anytime
from bonas.plot.anytime import LABELS, Clock, quartiles, trajectory
from fidelity.history import History
from fidelity.schedules.schedule import Promote, Start
from fidelity.trial import Evaluation, Status, Trial
from tests.fidelity.histories import end, space, start


def plain(*costs: float | None) -> History:
    """One new trial at budget 1 after another; None is a crash."""
    history = History(space())
    for cost in costs:
        end(history, start(history, Start(1.0)), cost)
    return history


def by_hand() -> History:
    """Two trials at 1 epoch, the better goes on to 3, a crash, a reused result, and the best."""
    history = History(space())

    def add(trial: Trial, began: float, **outcome: object) -> None:
        history.add_evaluation(Evaluation(trial, started=began, seconds=2.0, **outcome))  # type: ignore[arg-type]

    worse = start(history, Start(1.0), "a")
    add(worse, 0.0, cost=0.5)
    better = start(history, Start(1.0), "b")
    add(better, 2.0, cost=0.4)
    add(start(history, Promote(better, 3.0)), 4.0, cost=0.3)
    add(start(history, Start(3.0), "c"), 6.0, status=Status.CRASHED, error="it broke")
    known = start(history, Start(1.0), "b")
    history.add_evaluation(Evaluation(known, cost=0.4, started=8.5, reused=better.number))
    add(start(history, Start(9.0), "d"), 8.0, cost=0.1)
    return history


@pytest.mark.parametrize(
    ("clock", "times"),
    [
        ("evaluations", [1, 2, 3, 6, 6]),
        # 1, 1 + 1, then 2 more to go from 1 to 3, 3 lost in the crash, 0 reused, 9.
        ("epochs", [1, 2, 4, 16, 16]),
        ("seconds", [2, 4, 6, 10, 10]),
    ],
)
def test_every_number_of_a_history_by_hand(clock: Clock, times: list[float]) -> None:
    found, costs = trajectory(by_hand(), clock)
    assert found.tolist() == times
    assert costs.tolist() == [0.5, 0.4, 0.3, 0.1, 0.1]


def test_a_tie_is_no_improvement() -> None:
    times, costs = trajectory(plain(0.5, 0.5, 0.4, 0.4, 0.6))
    assert times.tolist() == [1, 3, 5]
    assert costs.tolist() == [0.5, 0.4, 0.4]


def test_crashes_spend_and_improve_nothing() -> None:
    times, costs = trajectory(plain(None, None, 0.5, None))
    assert times.tolist() == [3, 4]
    assert costs.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("history", [plain(), plain(None, None)])
def test_without_a_success_there_is_nothing(history: History) -> None:
    times, costs = trajectory(history)
    assert len(times) == len(costs) == 0


def test_what_is_pending_has_spent_nothing() -> None:
    history = plain(0.5)
    start(history, Start(9.0))
    assert trajectory(history)[0].tolist() == [1, 1]


def test_quartiles_of_runs_of_unequal_length() -> None:
    curves = [trajectory(plain(*costs)) for costs in [(8, 4), (6, 6, 6, 2), (4, 4, 3)]]
    grid, low, middle, high = quartiles(curves)
    assert grid.tolist() == [1, 2, 3, 4]
    # Sorted values: 4 6 8, then 4 4 6, then 3 4 6, then 2 3 4.
    assert middle.tolist() == [6, 4, 4, 3]
    assert low.tolist() == [5, 4, 3.5, 2.5]
    assert high.tolist() == [7, 5, 5, 3.5]


def test_quartiles_begin_when_every_run_has_found_something() -> None:
    curves = [trajectory(plain(8, 7, 6)), trajectory(plain(None, None, 4, 3))]
    grid, _, middle, _ = quartiles(curves)
    assert grid.tolist() == [3, 4]
    assert middle.tolist() == [5, 4.5]


def test_one_run_is_its_own_quartiles() -> None:
    curve = trajectory(plain(3, 2, 1))
    grid, *values = quartiles([curve])
    assert grid.tolist() == [1, 2, 3]
    assert all(value.tolist() == [3, 2, 1] for value in values)


def test_it_draws_the_trajectory_on_the_axes_that_it_is_given() -> None:
    _, ax = plt.subplots()
    assert anytime({"mine": plain(0.5, 0.7, 0.2)}, ax) is ax
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [1, 3]  # type: ignore[union-attr]
    assert line.get_ydata().tolist() == [0.5, 0.2]  # type: ignore[union-attr]
    assert line.get_drawstyle() == "steps-post"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["mine"]
    assert ax.get_xlabel() == LABELS["epochs"]


def test_several_runs_are_a_median_in_a_band() -> None:
    runs = [plain(3, 1), plain(5, 3), plain(7, 5)]
    ax = anytime({"three": runs, "one": plain(4)}, clock="evaluations", label="error")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[5, 3], [4]]  # type: ignore[union-attr]
    (band,) = ax.collections
    vertices = band.get_paths()[0].vertices
    assert np.min(vertices[:, 1]) == 2  # type: ignore[index]
    assert np.max(vertices[:, 1]) == 6  # type: ignore[index]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("evaluations", "error")
    assert len({line.get_color() for line in ax.lines}) == 2
    assert len({line.get_linestyle() for line in ax.lines}) == 2


@pytest.mark.parametrize("histories", [{}, {"failed": plain(None)}, {"none": []}])
def test_nothing_to_draw_is_empty_axes(histories: dict[str, History]) -> None:
    ax = anytime(histories)
    assert not ax.lines
    assert ax.get_legend() is None


@pytest.mark.parametrize("costs", [(0.6, 0.2), (0.21, 0.2), (1.0, 1e-4)])
def test_logarithmic_ticks_are_plain_numbers(costs: tuple[float, float]) -> None:
    ax = anytime({"mine": plain(*costs)}, log=True)
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    ticks = zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
    labels = [label.get_text() for tick, label in ticks if low <= tick <= high]
    assert ax.get_yscale() == "log"
    assert 2 <= len(labels) <= 16
    assert all(float(label) > 0 for label in labels)
    assert not any(label.get_text() for label in ax.get_yticklabels(minor=True))
