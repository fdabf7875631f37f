from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from bonas.plot import architecture
from bonas.plot.architecture import HALF_HEIGHT, HALF_WIDTH
from spaces.architecture.architecture import Architecture, chain
from spaces.cells.cell import CellSpace
from spaces.display.layout import place
from spaces.display.svg import svg
from spaces.space import sample
from tests.bonas.plot.pictures import check, paper

CELLS = CellSpace(nodes=5)
SAMPLES = [
    CELLS.architecture(configuration)
    for configuration in sample(CELLS.configuration_space, 40, np.random.default_rng(0))
]


def boxes(ax: Axes) -> list[tuple[str, float, float]]:
    """The label and centre of each box."""
    found = [patch for patch in ax.patches if isinstance(patch, FancyBboxPatch)]
    return [
        (str(b.get_gid()), b.get_x() + b.get_width() / 2, b.get_y() + b.get_height() / 2)
        for b in found
    ]


def edges(ax: Axes) -> list[FancyArrowPatch]:
    return [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]


def lines(ax: Axes) -> list[np.ndarray]:
    """Many points along each edge, in data units."""
    return [
        np.concatenate(
            [
                bezier(np.linspace(0, 1, 50))
                for bezier, _ in edge._path_original.iter_bezier()  # type: ignore[attr-defined]
            ]
        )
        for edge in edges(ax)
    ]


def test_a_box_for_each_operation_and_an_arrow_for_each_edge() -> None:
    graph = Architecture.from_edges(
        ["input", "conv_3x3", "pool", "output"], [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)]
    )
    _, ax = plt.subplots()
    assert architecture(graph, ax, title="mine") is ax
    assert sorted(label for label, *_ in boxes(ax)) == ["conv_3x3", "input", "output", "pool"]
    assert len(edges(ax)) == 5
    assert {text.get_text() for text in ax.texts} == {"conv 3x3", "input", "output", "pool"}
    assert ax.get_title() == "mine"


def test_what_is_dead_or_an_identity_is_not_drawn() -> None:
    graph = Architecture.from_edges(
        ["input", "identity", "zero", "conv", "dead", "output"],
        [(0, 1), (1, 3), (0, 2), (2, 3), (3, 5), (0, 4)],
    )
    ax = architecture(graph)
    assert [label for label, *_ in boxes(ax)] == ["input", "conv", "output"]
    assert len(edges(ax)) == 2


def test_equal_operations_have_equal_colours() -> None:
    ax = architecture(chain(["a", "b", "a"]))
    colours = {}
    for patch in ax.patches:
        if isinstance(patch, FancyBboxPatch):
            colours.setdefault(patch.get_gid(), set()).add(patch.get_facecolor())
    assert [len(found) for found in colours.values()] == [1, 1, 1, 1]
    assert colours["a"] != colours["b"]


def test_an_edge_that_counts_twice_says_so() -> None:
    graph = Architecture.from_edges(
        ["input", "identity", "identity", "output"], [(0, 1), (0, 2), (1, 3), (2, 3)]
    )
    assert "2×" in {text.get_text() for text in architecture(graph).texts}


def test_without_a_path_it_says_so() -> None:
    ax = architecture(chain(["zero"]), title="cut")
    assert ax.get_title() == "cut (no path from input to output)"
    assert len(boxes(ax)) == 2
    assert not edges(ax)


@pytest.mark.parametrize("graph", SAMPLES)
def test_no_edge_runs_through_a_box_and_no_boxes_overlap(graph: Architecture) -> None:
    ax = architecture(graph)
    centres = [(x, y) for _, x, y in boxes(ax)]
    for i, (x, y) in enumerate(centres):
        for a, b in centres[:i]:
            assert abs(x - a) >= 1 or abs(y - b) >= 1
    for points in lines(ax):
        for x, y in centres:
            across, up = np.abs(points - (x, y)).T
            assert not ((across < HALF_WIDTH - 1e-6) & (up < HALF_HEIGHT)).any()
    low, high = ax.get_ylim()
    assert (
        all(low < points.min() and points[:, 1].max() < high for points in lines(ax))
        or len(centres) == 2
    )
    plt.close("all")


@pytest.mark.parametrize("graph", SAMPLES[:10])
def test_operations_stand_right_of_what_they_read(graph: Architecture) -> None:
    reads = [sorted({*node.inputs}) for node in graph.canonical().nodes]
    at, routes = place(reads)
    for target, sources in enumerate(reads):
        for source in sources:
            xs = [at[source][0], *[x for x, _ in routes.get((source, target), [])], at[target][0]]
            assert np.diff(xs).tolist() == [1] * (len(xs) - 1)


def test_crossings_that_can_be_avoided_are() -> None:
    # Written so that the second layer's given order crosses both edges.
    at, _ = place([[], [0], [0], [2], [1], [3, 4]])
    assert (at[1][1] - at[2][1]) * (at[4][1] - at[3][1]) > 0


def test_names_of_any_length_are_broken_into_lines() -> None:
    ax = architecture(chain(["a_very_long_name_of_an_operation"]))
    text = next(t.get_text() for t in ax.texts if t.get_text().startswith("a very"))
    assert max(map(len, text.splitlines())) <= 10


def test_the_picture() -> None:
    graph = Architecture.from_edges(
        ["input", "conv_3x3", "pool_3x3", "conv_3x3", "output"],
        [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (0, 4)],
    )
    check(architecture(graph, paper(4.4, 2), title="a cell"), "architecture")


def test_a_kind_of_operation_has_the_colour_of_the_report_and_no_digest() -> None:
    graph = chain(["conv #8d2ed1", "pool", "conv #000000"])
    ax = architecture(graph)
    fills = {
        str(box.get_gid()): to_hex(box.get_facecolor()).upper()
        for box in ax.patches
        if isinstance(box, FancyBboxPatch)
    }
    assert fills["conv #8d2ed1"] == fills["conv #000000"]
    assert [text.get_text() for text in ax.texts] == ["input", "conv", "pool", "conv", "output"]
    for label in ("conv #8d2ed1", "pool"):
        assert f'fill="{fills[label]}"' in svg(graph)


@pytest.mark.parametrize(
    "label",
    [
        "nor_conv_3x3",
        "transpose(., 1, 2)",
        "Conv1d(32, 32, 7, padding=same)",
        "MultiheadAttention(32, 2, kdim=32, vdim=32, batch_first=True)",
        "ScaledDotProductSelfAttention",
    ],
)
def test_a_label_stays_within_its_box_and_its_words_whole(label: str) -> None:
    ax = architecture(chain([label]))
    ax.figure.draw_without_rendering()
    (text,) = [text for text in ax.texts if text.get_text() not in ("input", "output")]
    extent = text.get_window_extent().transformed(ax.transData.inverted())
    assert extent.height <= 2 * HALF_HEIGHT + 0.02
    assert extent.width <= 2 * HALF_WIDTH + 0.1
    name, bracket, settings = label.partition("(")
    expected = [*name.replace("_", " ").split(), *(bracket + settings).split()]
    assert "".join(text.get_text().split()) == "".join(expected)
    assert all(line in label.replace("_", " ") or "_" in line for line in text.get_text().split())
