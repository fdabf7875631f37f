"""An architecture as a layered picture."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from matplotlib.path import Path

from bonas.analysis.sources import wrong
from bonas.plot.layers import Point, place
from bonas.plot.style import words
from spaces.architecture.architecture import Architecture
from spaces.architecture.labels import INPUT, OUTPUT

# Okabe & Ito (2008), without the two that black text cannot be read on.
COLOURS = ("#56B4E9", "#E69F00", "#009E73", "#F0E442", "#CC79A7", "#D55E00")
INK = "#333333"
# Half the width and height of a box; layers are 1 apart, and so are boxes within a layer.
WIDE, HIGH = 0.34, 0.3
INCHES = (1.6, 0.75)  # of one layer, and of one box within it


def architecture(graph: Architecture, ax: Axes | None = None, *, title: str = "") -> Axes:
    """Draws the canonical graph from left to right, each operation right of all it reads.

    What reaches a box by several arrows is summed (or concatenated, if it says so). An arrow
    that skips layers passes between their boxes.

    Args:
        graph: what to draw.
        ax: where to draw; by default a new figure of fitting size.
        title: above the picture.

    Returns:
        The axes, in which a layer and a box are one unit wide and high.

    Raises:
        TypeError: what was given is no architecture.
    """
    if not isinstance(graph, Architecture):
        hint = ": give `space.architecture(configuration)`"
        raise wrong("the graph of an architecture", graph, hint)
    nodes = graph.canonical().nodes
    reads = [sorted({*node.inputs}) for node in nodes]
    at, routes = place(reads)
    across = max(x for x, _ in at)
    tall = max(abs(y) for y in [y for _, y in at] + [y for r in routes.values() for _, y in r])
    if ax is None:
        size = (INCHES[0] * (across + 1), INCHES[1] * (2 * tall + 1) + 0.4 * bool(title))
        _, ax = plt.subplots(figsize=size, layout="constrained")
    labels = [str(node.operation) for node in nodes]  # nested ones are flat in a canonical graph
    kinds = sorted({*labels} - {INPUT, OUTPUT})
    for target, node in enumerate(nodes):
        for source, times in Counter(node.inputs).items():
            _edge(ax, [at[source], *routes.get((source, target), ()), at[target]], times)
    for point, label in zip(at, labels, strict=True):
        colour = COLOURS[kinds.index(label) % len(COLOURS)] if label in kinds else "#FFFFFF"
        _box(ax, point, label, colour)
    if not nodes[-1].inputs:
        title = f"{title} (no path from input to output)".strip()
    ax.set_title(title, fontsize=10)
    ax.set_xlim(-0.45, across + 0.45)
    ax.set_ylim(-tall - 0.45, tall + 0.45)
    ax.axis("off")
    return ax


def _box(ax: Axes, point: Point, label: str, colour: str) -> None:
    x, y = point
    text = words(textwrap.fill(label.replace("_", " "), 10))
    corner = (x - WIDE + 0.05, y - HIGH + 0.05)
    style = "round,pad=0.05,rounding_size=0.1"
    ax.add_patch(
        FancyBboxPatch(
            corner,
            2 * WIDE - 0.1,
            2 * HIGH - 0.1,
            style,
            facecolor=colour,
            edgecolor=INK,
            zorder=3,
            gid=label,
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=9, zorder=4)


def _edge(ax: Axes, points: Sequence[Point], times: int) -> None:
    """An arrow that is level beside boxes and bends only in the gaps between layers."""
    (x, y), *others = points
    x += WIDE
    vertices, codes = [(x, y)], [Path.MOVETO]
    for number, (right, height) in enumerate(others, start=1):
        end = right - WIDE
        middle = (x + end) / 2
        vertices += [(middle, y), (middle, height), (end, height)]
        codes += [Path.CURVE4] * 3
        x, y = end, height
        if number < len(others):
            x = right + WIDE
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
