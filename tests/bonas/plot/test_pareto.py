from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bonas.plot import pareto
from bonas.plot.pareto import front, points
from fidelity.history.goal import Constraint, Goal
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status
from fidelity.schedules.schedule import Promote, Start
from tests.bonas.plot.pictures import check, paper
from tests.bonas.plot.searches import two_objectives
from tests.fidelity.histories import space, start

TWO = Goal(("cost", "latency"))


LABELS = ("multiply-adds (count)", "validation error (fraction)")


def searched(*costs: tuple[float, float] | None, goal: Goal = TWO) -> History:
    """One network at budget 1 after another; None is a crash."""
    history = History(space(), goal=goal)
    for pair in costs:
        trial = start(history, Start(1.0))
        if pair is None:
            history.add_evaluation(Evaluation(trial, status=Status.CRASHED, error="it broke"))
        else:
            history.add_evaluation(Evaluation(trial, pair[0], {"latency": pair[1]}))
    return history


HISTORY = searched((3.0, 1.0), (2.0, 2.0), None, (1.0, 4.0), (3.0, 3.0), (1.5, 2.0))


def test_the_front_is_a_staircase_over_everything_that_was_evaluated() -> None:
    ax = pareto(HISTORY)
    (line,) = ax.lines
    assert line.get_xydata().tolist() == [[1.0, 3.0], [2.0, 1.5], [4.0, 1.0]]
    assert line.get_drawstyle() == "steps-post"
    assert len(ax.collections[0].get_offsets()) == 5
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("latency", "cost")


def test_the_picture_of_two_real_searches() -> None:
    runs = {"seed 0": two_objectives(0), "seed 1": two_objectives(1)}
    ax = pareto(runs, paper(4.8, 3.4), labels=LABELS, after=(15,))
    assert (ax.get_xlabel(), ax.get_ylabel()) == LABELS
    check(ax, "pareto")


def test_several_searches_earlier_fronts_and_the_true_one() -> None:
    _, axes = plt.subplots()
    true = np.array([[0.5, 0.5], [9.0, 9.0]])
    ax = pareto({"ours": HISTORY, "random": HISTORY}, axes, after=(4, 2), true_front=true)
    assert ax is axes
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == [
        *("ours, after 2", "ours, after 4", "ours, after 6"),
        *("random, after 2", "random, after 4", "random, after 6"),
        "true front",
    ]
    assert ax.lines[0].get_xydata().tolist() == [[1.0, 3.0], [2.0, 2.0]]
    assert ax.lines[0].get_alpha() < ax.lines[1].get_alpha()
    assert ax.lines[-1].get_xydata().tolist() == [[0.5, 0.5]]
    assert len({line.get_color() for line in ax.lines}) == 3
    ax.figure.canvas.draw()


def test_quantities_that_are_no_objectives() -> None:
    history = searched((3.0, 1.0), (2.0, 2.0), goal=Goal())
    ax = pareto(history, quantities=("latency", "cost"))
    assert len(ax.lines[0].get_xydata()) == 2
    with pytest.raises(ValueError, match="only the objective 'cost': name two quantities"):
        pareto(history)


def test_what_is_beyond_a_limit_is_left_out() -> None:
    limited = Goal(("cost", "latency"), (Constraint("latency", at_most=2.0),))
    history = searched((3.0, 1.0), (1.0, 4.0), goal=limited)
    assert points(history, ("latency", "cost")).tolist() == [[1.0, 3.0]]


def test_the_highest_budget_counts() -> None:
    history = searched((3.0, 1.0), (2.0, 2.0))
    trial = start(history, Promote(history.trials[0], 3.0))
    history.add_evaluation(Evaluation(trial, 2.5, {"latency": 1.0}))
    assert points(history, ("cost", "latency")).tolist() == [[2.5, 1.0]]
    assert points(history, ("cost", "latency"), 2).tolist() == [[3.0, 1.0], [2.0, 2.0]]


@pytest.mark.parametrize("history", [searched(), searched(None)])
def test_nothing_to_draw(history: History) -> None:
    ax = pareto({"empty": history}, after=(1,))
    assert all(not len(line.get_xydata()) for line in ax.lines)
    ax.figure.canvas.draw()


def test_equal_points_are_one() -> None:
    assert front(np.array([[1.0, 1.0], [1.0, 1.0], [2.0, 1.0]])).tolist() == [[1.0, 1.0]]
