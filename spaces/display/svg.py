"""An architecture as a layered picture in SVG, for notebooks; nested motifs are boxes."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from spaces.architecture.architecture import CONCAT, IDENTITY, INPUT, OUTPUT, ZERO, Architecture

COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#CC79A7", "#D55E00")
PLAIN = {INPUT, OUTPUT, IDENTITY, ZERO, CONCAT}

CHARACTER, LINE = 7.0, 24.0
"""Width of a character and height of a box, in pixels."""

GAP, MARGIN = 26.0, 10.0
"""Between boxes, and around what is inside a box."""


@dataclass(frozen=True)
class _Picture:
    width: float
    height: float
    elements: str


_Item = tuple[int, int | None]
"""A node, or the bend of the lines that leave it at a depth."""

BEND = _Picture(0, 2, "")

# The ends of a nested motif need no words.
DOT = _Picture(6, 6, '<circle cx="3" cy="3" r="3" fill="#333"/>')


def svg(architecture: Architecture) -> str:
    """The graph from left to right, each operation right of all that it reads.

    Args:
        architecture: as it stands; draw `architecture.canonical()` to see what remains of it.
    """
    kinds = sorted(_labels(architecture) - PLAIN)
    colours = {kind: COLOURS[i % len(COLOURS)] for i, kind in enumerate(kinds)}
    picture = _draw(architecture, colours)
    width, height = picture.width + 2 * MARGIN, picture.height + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="sans-serif" font-size="12">'
        f"{_moved(picture.elements, MARGIN, MARGIN)}</svg>"
    )


def _labels(architecture: Architecture) -> set[str]:
    found: set[str] = set()
    for node in architecture.nodes:
        nested = isinstance(node.operation, Architecture)
        found |= _labels(node.operation) if nested else {str(node.operation)}  # type: ignore[arg-type]
    return found


def _draw(architecture: Architecture, colours: dict[str, str], *, nested: bool = False) -> _Picture:
    nodes = architecture.nodes
    boxes: dict[_Item, _Picture] = {
        (i, None): DOT
        if nested and node.operation in (INPUT, OUTPUT)
        else _box(node.operation, colours)
        for i, node in enumerate(nodes)
    }
    layers, before = _layers(architecture)
    boxes |= {item: BEND for layer in layers for item in layer if item not in boxes}
    heights = [sum(boxes[i].height + GAP / 2 for i in layer) - GAP / 2 for layer in layers]
    height, left = max(heights), 0.0
    corners: dict[_Item, tuple[float, float]] = {}
    for layer, total in zip(layers, heights, strict=True):
        # Below each other in the order of what they read, which keeps lines from crossing.
        middle = {
            item: sum(corners[i][1] + boxes[i].height / 2 for i in before[item])
            / max(len(before[item]), 1)
            for item in layer
        }
        top, wide = (height - total) / 2, max(boxes[i].width for i in layer)
        for item in sorted(layer, key=lambda item: middle[item]):
            if boxes[item] is BEND:  # a line past every box of this layer
                boxes[item] = _Picture(wide, BEND.height, _path(f"M0 1H{wide:.1f}"))
            corners[item] = (left + (wide - boxes[item].width) / 2, top)
            top += boxes[item].height + GAP / 2
        left += wide + GAP
    edges = [
        _edge(corners[source], boxes[source], corners[target], boxes[target])
        for target, sources in before.items()
        for source in sources
    ]
    drawn = [_moved(boxes[item].elements, *corner) for item, corner in corners.items()]
    return _Picture(left - GAP, height, "".join(edges + drawn))


def _layers(architecture: Architecture) -> tuple[list[list[_Item]], dict[_Item, list[_Item]]]:
    """Nodes by depth, and a bend wherever a line passes a layer; what each item comes after."""
    nodes = architecture.nodes
    depth = [0] * len(nodes)
    for position, node in enumerate(nodes):
        depth[position] = max((depth[source] + 1 for source in node.inputs), default=0)
    depth[-1] = max(max(depth), 1)
    layers: list[list[_Item]] = [[] for _ in range(depth[-1] + 1)]
    before: dict[_Item, list[_Item]] = {}
    for position, node in enumerate(nodes):
        layers[depth[position]].append((position, None))
        before[position, None] = []
        for source in dict.fromkeys(node.inputs):
            last: _Item = (source, None)
            for level in range(depth[source] + 1, depth[position]):
                bend = (source, level)  # shared by all lines that leave the same node
                if bend not in before:
                    layers[level].append(bend)
                    before[bend] = [last]
                last = bend
            before[position, None].append(last)
    return [layer for layer in layers if layer], before


def _box(operation: str | Architecture, colours: dict[str, str]) -> _Picture:
    if isinstance(operation, Architecture):
        inner = _draw(operation, colours, nested=True)
        width, height = inner.width + 2 * MARGIN, inner.height + 2 * MARGIN
        frame = (
            f'<rect width="{width:.1f}" height="{height:.1f}" rx="6" fill="#f4f4f4" stroke="#999"/>'
        )
        return _Picture(width, height, frame + _moved(inner.elements, MARGIN, MARGIN))
    width = CHARACTER * len(operation) + 2 * MARGIN
    colour = colours.get(operation, "#ffffff")
    return _Picture(
        width,
        LINE,
        f'<rect width="{width:.1f}" height="{LINE}" rx="6" fill="{colour}" stroke="#333"/>'
        f'<text x="{width / 2:.1f}" y="16" text-anchor="middle">{escape(operation)}</text>',
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
    return f'<path d="{commands}" fill="none" stroke="#333"/>'


def _moved(elements: str, x: float, y: float) -> str:
    return f'<g transform="translate({x:.1f} {y:.1f})">{elements}</g>'
