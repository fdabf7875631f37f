from __future__ import annotations

import re

from spaces.architecture.architecture import Architecture, chain
from spaces.cells.cell import CellSpace
from spaces.cells.darts import darts
from spaces.cells.node_cell import nasbench101
from spaces.display.palette import FILLS, fills, kind, shown
from spaces.display.svg import svg
from spaces.space import Space


def test_a_digest_is_not_shown() -> None:
    assert shown("conv #8d2ed1") == "conv"
    assert shown("Conv2d(3, 16, 3) #8d2ed1") == "Conv2d(3, 16, 3)"
    assert shown("conv3x3 64 /2 relu") == "conv3x3 64 /2 relu"
    drawn = svg(chain(["conv #8d2ed1", "conv #000000"]))
    assert re.findall("<text[^>]*>([^<]*)</text>", drawn) == ["input", "conv", "conv", "output"]


def test_operations_of_one_kind_have_one_fill() -> None:
    found = fills(["conv #8d2ed1", "conv #000000", "conv 3", "conv(3, 16)", "pool", "input"])
    assert set(found) == {"conv #8d2ed1", "conv #000000", "conv 3", "conv(3, 16)", "pool"}
    assert len({fill for label, fill in found.items() if kind(label) == "conv"}) == 1
    assert len({*found.values()}) == 2


def test_a_kind_has_its_fill_in_every_drawing() -> None:
    for label in ("nor_conv_3x3", "linear 16 relu", "max_pool_3x3", "conv #8d2ed1"):
        assert fills([label])[label] == fills([label, "input", label])[label]
    both = fills(["nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3"])
    assert both == {label: fills([label])[label] for label in both}


def test_kinds_of_one_drawing_differ_as_long_as_there_are_fills() -> None:
    labels = [f"operation{number}" for number in range(len(FILLS))]
    assert {*fills(labels).values()} == {*FILLS}
    assert len(fills([*labels, "one more"])) == len(FILLS) + 1


def graph(space: Space) -> Architecture:
    return space.architecture(space.configuration_space.get_default_configuration()).canonical()


def test_the_svg_fills_boxes_by_the_palette() -> None:
    for space in (CellSpace(nodes=4), darts(), nasbench101()):
        canonical = graph(space)
        drawn = {fill for fill in FILLS if f'fill="{fill}"' in svg(canonical)}
        assert drawn == {*fills(str(node.operation) for node in canonical.nodes).values()}
