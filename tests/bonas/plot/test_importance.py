from __future__ import annotations

from bonas.analysis.importance import Importance
from bonas.plot import importance
from tests.bonas.plot.pictures import check, paper

MADE = {
    "optimiser": Importance(0.05, 0.01),
    "operation of a long name": Importance(0.62, 0.04),
    "depth": Importance(0.3, 0.05),
    "seed": Importance(-0.01, 0.02),
}


def test_the_picture() -> None:
    check(importance(MADE, paper(4.6, 2.4)), "importance")


def test_the_largest_is_at_the_top_and_some_may_be_left_out() -> None:
    ax = importance(MADE, most=2)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == ["operation of a long name", "depth"]
    bottom, top = ax.get_ylim()
    assert bottom > top
    assert "2 more not shown" in ax.get_xlabel()
