from __future__ import annotations

from bonas.plot import brackets
from fidelity.schedules import Hyperband, SuccessiveHalving
from tests.bonas.plot.pictures import check, paper


def test_the_picture_of_hyperband() -> None:
    ax = brackets(Hyperband(1, 27), paper())
    assert ax.get_xlabel() == "budget (epochs)"
    check(ax, "brackets")


def test_the_numbers_of_hyperband() -> None:
    # Li et al. 2018, table 1, for R = 81 and eta = 3; what it spends is as promotions are resumed.
    ax = brackets(Hyperband(1, 81))
    numbers = [text.get_text() for text in ax.texts]
    assert numbers[:5] == ["81", "27", "9", "3", "1"]
    assert numbers[-1] == "5"
    labels = [label.get_text() for label in ax.get_yticklabels()]
    # 81 + 27 * 2 + 9 * 6 + 3 * 18 + 54, and 5 * 81.
    assert labels[0] == "bracket 0\n297 epochs"
    assert labels[-1] == "bracket 4\n405 epochs"
    assert len(labels) == 5


def test_successive_halving_is_one_bracket() -> None:
    ax = brackets(SuccessiveHalving(1, 9), unit="images")
    assert len(ax.get_yticks()) == 1
    assert ax.get_yticklabels()[0].get_text().endswith(" images")
