"""An architecture as a layered drawing."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from bonas.analysis.sources import wrong
from bonas.plot.style import words
from spaces.architecture.architecture import Architecture
from spaces.display.layout import place
from spaces.display.palette import INK, fills, shown
from spaces.display.sums import SUM, with_sums

Point = tuple[float, float]
# Half the width and height of a box; layers, and boxes within a layer, are 1 apart.
HALF_WIDTH, HALF_HEIGHT = 0.34, 0.3
INCHES = (1.6, 0.75)  # width of a layer, height of a box within it

MIN_CHARACTERS, MAX_CHARACTERS = 10, 22
"""Of a line in a box; only longer words are broken."""

LINE_POINTS, BOX_POINTS, LINE_SPACING = 90.0, 32.0, 1.2
"""The width of a box in characters times points, its height in points, a line in font sizes."""


def architecture(graph: Architecture, ax: Axes | None = None, *, title: str = "") -> Axes:
    """Draw the canonical graph from left to right, each operation to the right of its inputs.

    Several arrows into a box mean their sum (or concatenation, if the box says so). The sums of a
    long residual stream are boxes of their own, each of which adds to the one before. Arrows that
    skip layers pass between the boxes.

    Args:
        graph: the architecture.
        ax: the axes; by default a new figure of fitting size.
        title: above the drawing.

    Returns:
        The axes, with layers one unit wide and boxes one unit high.

    Raises:
        TypeError: `graph` is no architecture.
    """
    if not isinstance(graph, Architecture):
        hint = ": give `space.architecture(configuration)`"
        raise wrong("the graph of an architecture", graph, hint)
    nodes = with_sums(graph.canonical().nodes)
    inputs = [sorted({*node.inputs}) for node in nodes]
    at, routes = place(inputs)
    across = max(x for x, _ in at)
    tall = max(abs(y) for y in [y for _, y in at] + [y for r in routes.values() for _, y in r])
    if ax is None:
        size = (INCHES[0] * (across + 1), INCHES[1] * (2 * tall + 1) + 0.4 * bool(title))
        _, ax = plt.subplots(figsize=size, layout="constrained")
    labels = [str(node.operation) for node in nodes]  # a canonical graph is flat
    colours = fills({*labels} - {SUM})
    for target, node in enumerate(nodes):
        for source, times in Counter(node.inputs).items():
            _edge(ax, [at[source], *routes.get((source, target), ()), at[target]], times)
    for point, label in zip(at, labels, strict=True):
        _box(ax, point, label, colours.get(label, "#FFFFFF"))
    if not nodes[-1].inputs:
        title = f"{title} (no path from input to output)".strip()
    ax.set_title(title, fontsize=10)
    ax.set_xlim(-0.45, across + 0.45)
    ax.set_ylim(-tall - 0.45, tall + 0.45)
    ax.axis("off")
    return ax


def _box(ax: Axes, point: Point, label: str, colour: str) -> None:
    x, y = point
    text, size = _fitted(shown(label))
    corner = (x - HALF_WIDTH + 0.05, y - HALF_HEIGHT + 0.05)
    style = "round,pad=0.05,rounding_size=0.1"
    ax.add_patch(
        FancyBboxPatch(
            corner,
            2 * HALF_WIDTH - 0.1,
            2 * HALF_HEIGHT - 0.1,
            style,
            facecolor=colour,
            edgecolor=INK,
            zorder=3,
            gid=label,
        )
    )
    ax.text(x, y, words(text), ha="center", va="center", fontsize=size, zorder=4)


def _fitted(label: str) -> tuple[str, float]:
    """Return a label in lines, and the largest font size at which it fits into a box."""
    name, bracket, settings = label.partition("(")
    whole = name.replace("_", " ") + bracket + settings
    fitted = []
    for text in (whole, whole.replace("(", " (", 1)):  # a long name has a line of its own
        width = min(max(MIN_CHARACTERS, *map(len, text.split())), MAX_CHARACTERS)
        lines = textwrap.wrap(text, width)
        size = min(LINE_POINTS / width, BOX_POINTS / (LINE_SPACING * len(lines)))
        fitted.append((size, "\n".join(lines)))
    size, text = max(fitted, key=lambda each: each[0])
    return text, size


def _edge(ax: Axes, points: Sequence[Point], times: int) -> None:
    """Draw an arrow that is level next to boxes and bends only between layers."""
    (x, y), *others = points
    x += HALF_WIDTH
    vertices, codes = [(x, y)], [Path.MOVETO]
    for number, (right, height) in enumerate(others, start=1):
        end = right - HALF_WIDTH
        middle = (x + end) / 2
        vertices += [(middle, y), (middle, height), (end, height)]
        codes += [Path.CURVE4] * 3
        x, y = end, height
        if number < len(others):
            x = right + HALF_WIDTH
            vertices.append((x, y))
            codes.append(Path.LINETO)
    ax.add_patch(
        FancyArrowPatch(
            path=Path(vertices, codes),
            arrowstyle="-|>",
            mutation_scale=11,
            color=INK,
            linewidth=1.1,
            zorder=2,
        )
    )
    if times > 1:
        (left, low), (right, high) = points[:2]
        ax.text((left + right) / 2, (low + high) / 2, f"{times}×", ha="center", fontsize=8)
