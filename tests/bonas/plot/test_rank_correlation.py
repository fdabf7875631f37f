from __future__ import annotations

import numpy as np
import pytest

from bonas.plot import rank_correlation
from bonas.plot.rank_correlation import correlations
from fidelity.history.history import History
from fidelity.schedules.schedule import Promote, Start
from tests.bonas.plot.pictures import check, named, paper
from tests.bonas.plot.searches import hyperband
from tests.fidelity.histories import end, space, start


def test_the_picture_of_real_searches() -> None:
    ax = rank_correlation([hyperband(seed) for seed in range(3)], paper(4, 3.4))
    assert named(ax)
    check(ax, "rank_correlation")


def test_correlations_by_hand() -> None:
    history = History(space())
    trials = [start(history, Start(1.0)) for _ in range(5)]
    for trial, cost in zip(trials, [1, 2, 3, 4, None], strict=True):
        end(history, trial, cost)
    for trial, cost in zip(trials[:4], [1, 2, 4, 3], strict=True):
        end(history, start(history, Promote(trial, 3.0)), cost)
    end(history, start(history, Promote(history.trials[5], 9.0)), 1)
    budgets, found, numbers = correlations([history])
    assert budgets == [1, 3, 9]
    # Two of four ranks differ by one: one minus six times two sixtieths.
    assert found[0, 1] == found[1, 0] == pytest.approx(0.8)
    assert numbers.tolist() == [[4, 4, 1], [4, 4, 1], [1, 1, 1]]
    assert np.isnan(found[2]).all()


def test_one_history_is_enough() -> None:
    ax = rank_correlation(hyperband())
    assert len(ax.texts) == 16
