from __future__ import annotations

import pytest

from bonas.plot import mean_rank
from tests.bonas.analysis.test_trajectory import plain
from tests.bonas.plot.pictures import check, named, paper
from tests.bonas.plot.searches import TABLE, full, hyperband


def test_the_picture_of_real_searches() -> None:
    histories = {
        "random": [full(seed) for seed in range(4)],
        "random × Hyperband": [hyperband(seed) for seed in range(4)],
    }
    ax = mean_rank(histories, paper(), regret=TABLE.regret)
    assert named(ax)
    check(ax, "mean_rank")


def test_ranks_by_hand() -> None:
    # Seed 1: a 3 2 1, b 2 2 2: ranks of a are 2, 1.5, 1. Seed 2: a - 4 4, b 5 5 3: 2, 1, 2.
    histories = {"a": [plain(3, 2, 1), plain(None, 4, 4)], "b": [plain(2), plain(5, 5, 3)]}
    ax = mean_rank(histories, clock="evaluations")
    first, second = ax.lines
    assert first.get_xdata().tolist() == [1, 2, 3]  # type: ignore[union-attr]
    assert first.get_ydata().tolist() == [2, 1.25, 1.5]  # type: ignore[union-attr]
    assert second.get_ydata().tolist() == [1, 1.75, 1.5]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "histories", [{"a": [plain(1)]}, {"a": [plain(1)], "b": []}, {"a": [], "b": []}]
)
def test_what_cannot_be_ranked_is_refused(histories: dict[str, list]) -> None:  # type: ignore[type-arg]
    with pytest.raises(ValueError, match="two names or more, and of each name a history"):
        mean_rank(histories)
