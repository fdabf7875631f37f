"""An architecture as a layered picture in SVG, for notebooks; nested motifs are boxes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from spaces.architecture.labels import INPUT, OUTPUT
from spaces.display.drawn import Drawn
from spaces.display.layout import place
from spaces.display.palette import INK, fills, shown
from spaces.display.sums import with_sums

CHARACTER, LINE = 7.0, 24.0
"""Width of a character and height of a box, in pixels."""

GAP, MARGIN = 26.0, 10.0
"""Space between boxes, and around the content of a box, in pixels."""


@dataclass(frozen=True)
class _Picture:
    width: float
    height: float
    elements: str


_Item = int | tuple[int, int, int]
"""A node, or the point where the edge (source, target) passes a layer: (source, target, layer)."""

# The ends of a nested motif need no words.
DOT = _Picture(6, 6, f'<circle cx="3" cy="3" r="3" fill="{INK}"/>')
LINE_WIDTH = 2.0


def svg(architecture: Drawn) -> str:
    """Return the graph from left to right, each operation right of all that it reads.

    Args:
        architecture: drawn as it stands; pass `architecture.canonical()` to leave out dead nodes.
    """
    picture = _draw(architecture, fills(_labels(architecture)))
    width, height = picture.width + 2 * MARGIN, picture.height + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-size="12">'
        f"{_moved(picture.elements, MARGIN, MARGIN)}</svg>"
    )


def _labels(architecture: Drawn) -> set[str]:
    labels: set[str] = set()
    for node in architecture.nodes:
        labels |= {node.operation} if isinstance(node.operation, str) else _labels(node.operation)
    return labels


def _draw(architecture: Drawn, colours: Mapping[str, str], *, nested: bool = False) -> _Picture:
    nodes = with_sums(architecture.nodes)
    boxes: dict[_Item, _Picture] = {
        i: DOT if nested and node.operation in (INPUT, OUTPUT) else _box(node.operation, colours)
        for i, node in enumerate(nodes)
    }
    layers, paths = _layers([list(dict.fromkeys(node.inputs)) for node in nodes])
    corners: dict[_Item, tuple[float, float]] = {}
    tall = [sum(_height(boxes, i) + GAP / 2 for i in layer) - GAP / 2 for layer in layers]
    left = 0.0
    for layer, total in zip(layers, tall, strict=True):
        wide = max(boxes[item].width for item in layer if isinstance(item, int))
        top = (max(tall) - total) / 2
        for item in layer:
            if not isinstance(item, int):  # a line past every box of this layer
                boxes[item] = _Picture(wide, LINE_WIDTH, _path(f"M0 1H{wide:.1f}"))
            corners[item] = (left + (wide - boxes[item].width) / 2, top)
            top += boxes[item].height + GAP / 2
        left += wide + GAP
    edges = [
        _edge(corners[source], boxes[source], corners[target], boxes[target])
        for path in paths
        for source, target in pairwise(path)
    ]
    drawn = [_moved(boxes[item].elements, *corner) for item, corner in corners.items()]
    return _Picture(left - GAP, max(tall), "".join(edges + drawn))


def _height(boxes: Mapping[_Item, _Picture], item: _Item) -> float:
    return boxes[item].height if isinstance(item, int) else LINE_WIDTH


def _layers(reads: Sequence[Sequence[int]]) -> tuple[list[list[_Item]], list[list[_Item]]]:
    """Return the items of each layer from top to bottom, and those that each edge passes."""
    at, routes = place(reads)
    heights: dict[_Item, tuple[float, float]] = dict(enumerate(at))
    paths: list[list[_Item]] = []
    for target, sources in enumerate(reads):
        for source in sources:
            bends: list[_Item] = []
            for layer, height in routes.get((source, target), []):
                bends.append((source, target, int(layer)))
                heights[bends[-1]] = (layer, height)
            paths.append([source, *bends, target])
    layers: list[list[_Item]] = [[] for _ in range(int(at[-1][0]) + 1)]
    for item in sorted(heights, key=heights.__getitem__):
        layers[int(heights[item][0])].append(item)
    return layers, paths


def _box(operation: str | Drawn, colours: Mapping[str, str]) -> _Picture:
    if not isinstance(operation, str):
        inner = _draw(operation, colours, nested=True)
        width, height = inner.width + 2 * MARGIN, inner.height + 2 * MARGIN
        frame = (
            f'<rect width="{width:.1f}" height="{height:.1f}" rx="6" fill="#f4f4f4" stroke="#999"/>'
        )
        return _Picture(width, height, frame + _moved(inner.elements, MARGIN, MARGIN))
    text = shown(operation)
    width = CHARACTER * len(text) + 2 * MARGIN
    colour = colours.get(operation, "#ffffff")
    return _Picture(
        width,
        LINE,
        f'<rect width="{width:.1f}" height="{LINE}" rx="6" fill="{colour}" stroke="{INK}"/>'
        f'<text x="{width / 2:.1f}" y="16" text-anchor="middle">{escape(text)}</text>',
    )


def _edge(
    source: tuple[float, float], one: _Picture, target: tuple[float, float], other: _Picture
) -> str:
    x, y = source[0] + one.width, source[1] + one.height / 2
    to_x, to_y = target[0], target[1] + other.height / 2
    middle = (x + to_x) / 2
    return _path(
        f"M{x:.1f} {y:.1f}C{middle:.1f} {y:.1f} {middle:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
    )


def _path(commands: str) -> str:
    return f'<path d="{commands}" fill="none" stroke="{INK}"/>'


def _moved(elements: str, x: float, y: float) -> str:
    return f'<g transform="translate({x:.1f} {y:.1f})">{elements}</g>'
