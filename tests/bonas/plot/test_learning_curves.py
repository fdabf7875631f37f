from __future__ import annotations

from bonas.analysis.learning_curves import curves
from bonas.plot import learning_curves
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.schedules.schedule import Promote, Start
from tests.bonas.plot.pictures import check, named, paper
from tests.bonas.plot.searches import hyperband
from tests.fidelity.histories import end, space, start


def test_the_picture_of_a_real_search() -> None:
    ax = learning_curves(hyperband(), paper(), label="validation error (fraction)")
    assert named(ax)
    check(ax, "learning_curves")


def test_promotions_go_on_with_the_curve_of_what_they_continue() -> None:
    history = History(space())
    first = start(history, Start(2.0))
    history.add_evaluation(Evaluation(first, cost=0.5, curve=((1, 0.8), (2, 0.5))))
    end(history, start(history, Start(2.0)), 0.7)
    longer = start(history, Promote(first, 4.0))
    history.add_evaluation(Evaluation(longer, cost=0.3, curve=((3, 0.4), (4, 0.3))))
    end(history, start(history, Promote(longer, 8.0)), None)
    assert curves(history) == {
        2.0: [[(2.0, 0.7)]],
        4.0: [[(1, 0.8), (2, 0.5), (3, 0.4), (4, 0.3)]],
    }


def test_an_empty_history_has_no_curves() -> None:
    ax = learning_curves(History(space()))
    assert not ax.lines
    assert named(ax)
