"""An architecture as a layered picture."""

from __future__ import annotations

from collections import Counter

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from spaces.architecture import INPUT, OUTPUT, Architecture

COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7")


def architecture(graph: Architecture, ax: Axes | None = None, *, title: str = "") -> Axes:
    """Draws the canonical graph from left to right, each operation right of all it reads.

    Args:
        graph: what to draw.
        ax: where to draw; by default a new figure.
        title: above the picture.

    Returns:
        The axes.
    """
    nodes = graph.canonical().nodes
    depth = [0] * len(nodes)
    for position, node in enumerate(nodes):
        depth[position] = max((depth[i] + 1 for i in node.inputs), default=0)
    depth[-1] = max(depth[-1], max(depth) if nodes[-1].inputs else 1)
    levels = Counter(depth)
    if ax is None:
        size = (1.7 * len(levels) + 1, 0.9 * max(levels.values()) + 1.2)
        _, ax = plt.subplots(figsize=size, layout="constrained")

    placed: Counter[int] = Counter()
    at: list[tuple[float, float]] = []
    for level in depth:
        at.append((float(level), placed[level] - (levels[level] - 1) / 2))
        placed[level] += 1
    labels = [str(node.operation) for node in nodes]
    kinds = sorted({*labels} - {INPUT, OUTPUT})
    for position, node in enumerate(nodes):
        for source, times in Counter(node.inputs).items():
            _edge(ax, at[source], at[position], times)
    for position, label in enumerate(labels):
        colour = COLOURS[kinds.index(label) % len(COLOURS)] if label in kinds else "#FFFFFF"
        box = {"boxstyle": "round,pad=0.4", "facecolor": colour, "edgecolor": "#333333"}
        ax.text(
            *at[position],
            label.replace("_", "\n", 1),
            ha="center",
            va="center",
            fontsize=9,
            bbox=box,
            zorder=3,
        )
    if not nodes[-1].inputs:
        title = f"{title} (no path from input to output)".strip()
    ax.set_title(title)
    ax.set_xlim(-0.6, max(depth) + 0.6)
    ax.set_ylim(-max(levels.values()) / 2 - 0.2, max(levels.values()) / 2 + 0.2)
    ax.axis("off")
    return ax


def _edge(ax: Axes, source: tuple[float, float], target: tuple[float, float], times: int) -> None:
    """An arrow; bent where it would run through the operations between its ends."""
    straight = target[0] - source[0] <= 1
    bend = 0.0 if straight else (0.3 if source[1] >= target[1] else -0.3)
    arrow = {
        "arrowstyle": "-|>",
        "color": "#333333",
        "shrinkA": 24,
        "shrinkB": 24,
        "connectionstyle": f"arc3,rad={bend}",
    }
    ax.annotate("", xy=target, xytext=source, arrowprops=arrow, zorder=2)
    if times > 1:
        middle = ((source[0] + target[0]) / 2, (source[1] + target[1]) / 2)
        ax.text(*middle, f"{times}×", ha="center", va="bottom", fontsize=8)
