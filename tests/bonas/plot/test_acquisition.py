from __future__ import annotations

import numpy as np
import pytest

from bonas.acquisition.functions import LogExpectedImprovement
from bonas.plot import acquisition
from bonas.surrogates import RandomForest, negative
from fidelity.history.history import History
from spaces.keys import trial_key
from tests.bonas.plot.pictures import check, named, paper
from tests.bonas.plot.searches import TABLE, full


def test_the_picture_of_a_real_search() -> None:
    rng = np.random.default_rng(0)
    ax = acquisition(TABLE.space, full(), rng, paper(4.4, 3), function=LogExpectedImprovement())
    assert named(ax)
    assert ax.get_ylabel() == "log expected improvement"
    check(ax, "acquisition")


def test_candidates_are_new_and_the_star_has_the_highest_value() -> None:
    history = full()
    ax = acquisition(
        TABLE.space,
        history,
        np.random.default_rng(0),
        surrogate=RandomForest(),
        function=LogExpectedImprovement(),
        transform=negative,
    )
    dots, star = ax.collections
    points = np.asarray(dots.get_offsets())
    distinct = {trial_key(TABLE.space, t.configuration) for t in history.trials}
    assert len(points) <= 483 - len(distinct)
    assert np.asarray(star.get_offsets())[0, 1] == points[:, 1].max()
    assert ax.get_xlabel() == "predicted cost"


def test_an_empty_history_is_refused() -> None:
    empty = History(TABLE.space.configuration_space)
    with pytest.raises(ValueError, match="0 evaluations are too few"):
        acquisition(TABLE.space, empty, np.random.default_rng(0))
