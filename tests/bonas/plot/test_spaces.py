import matplotlib.pyplot as plt
import pytest
from ConfigSpace import (
    AndConjunction,
    Categorical,
    ConfigurationSpace,
    EqualsCondition,
    Float,
    GreaterThanCondition,
    Integer,
    OrdinalHyperparameter,
)

from bonas.plot.canziani import PUBLISHED, Bubble, canziani, named_networks
from bonas.plot.space_tree import space_tree
from spaces import zoo
from spaces.display.tree import rows
from tests.bonas.plot.pictures import check, paper


def test_the_named_networks_have_their_own_costs() -> None:
    bubbles = named_networks()
    assert list(bubbles) == list(PUBLISHED)
    assert bubbles["ResNet-50"].parameters == 25_557_032
    ax = canziani(bubbles)
    assert len(ax.collections) == 5
    areas = [collection.get_sizes()[0] for collection in ax.collections]
    assert areas[1] / areas[0] == pytest.approx(25_557_032 / 11_689_512)
    assert ax.collections[4].get_offsets()[0][1] == pytest.approx(80.0)
    ax.figure.canvas.draw()


def test_bubbles_of_ones_own() -> None:
    _, ax = plt.subplots()
    assert canziani({"mine": Bubble(70.0, 1e9, 1e6)}, ax) is ax


def small() -> ConfigurationSpace:
    space = ConfigurationSpace()
    kind = Categorical("kind", ["a", "b"])
    depth = Integer("depth", (1, 3))
    width = OrdinalHyperparameter("width", [8, 16])
    rate = Float("rate", (0.1, 1.0), log=True)
    space.add(kind, depth, width, rate)
    space.add(
        EqualsCondition(depth, kind, "a"),
        AndConjunction(EqualsCondition(width, kind, "a"), GreaterThanCondition(width, depth, 1)),
    )
    return space


def test_a_choice_hangs_below_what_makes_it_active() -> None:
    found = rows(small())
    texts = [row.text for row in found]
    assert texts[0] == "kind  {a, b}"
    assert texts[1] == "depth  [1, 3]  if kind == 'a'"
    assert texts[2].startswith("width  (8, 16)  if ")
    assert "kind == 'a'" in texts[2]
    assert "depth > 1" in texts[2]
    assert texts[3].startswith("rate  [0.1, 1.0] log")
    assert [row.level for row in found] == [0, 1, 2, 0]
    assert [row.parent for row in found] == [None, 0, 1, None]


def test_the_tree_is_drawn() -> None:
    ax = space_tree(small())
    assert len(ax.texts) == 4
    assert len(ax.lines) == 2
    ax.figure.canvas.draw()


def test_a_tree_uses_the_width_of_its_axes() -> None:
    for space in (small(), zoo.space().configuration_space):
        ax = space_tree(space, most=30)
        ax.figure.canvas.draw()
        right = max(text.get_window_extent().x1 for text in ax.texts)
        assert 0.7 < right / ax.figure.bbox.width <= 1.02


def test_a_large_space_says_what_is_left_out() -> None:
    space = zoo.space().configuration_space
    assert len(rows(space)) == len(space)
    ax = space_tree(space, most=30)
    assert ax.texts[-1].get_text() == f"... and {len(space) - 30} more"


def test_the_picture_of_a_tree() -> None:
    check(space_tree(small(), paper(4.4, 2)), "space_tree")


def test_the_picture_of_bubbles() -> None:
    bubbles = {"small": Bubble(69.8, 1.8e9, 11.7e6), "large": Bubble(76.1, 4.1e9, 25.6e6)}
    check(canziani(bubbles, paper(5, 3)), "canziani")
