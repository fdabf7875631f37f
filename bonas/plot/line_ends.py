"""Names of lines at their right ends, where a reader looks for them first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from spaces.display.palette import INK

FONT = 9.0
"""Height of the names in points."""

MAX_LINES = 6
SPACING = 1.25
"""Distance of two names, in heights of the font."""

MIN_APART = 3.0
"""Points between two ends; closer ones cannot be told apart."""

MAX_SHIFT = 18.0
"""Points by which a name may be higher or lower than its line."""

LEADER = 12.0
"""Points between the axes and the names."""

MAX_SHARE = 0.35
"""Width of the longest name as a part of the width of the axes."""

GID = "line end"


def label_ends(ax: Axes) -> bool:
    """Write the name of each line next to its right end if there is room for all names.

    Room is needed right of the axes, which only a figure with a layout engine makes.

    Args:
        ax: axes with lines, whose scales and limits are final.

    Returns:
        Whether the lines are labelled; otherwise they need a legend.
    """
    for text in [text for text in ax.texts if text.get_gid() == GID]:
        text.remove()  # of an earlier call with fewer lines
    lines = [line for line in ax.get_lines() if not str(line.get_label()).startswith("_")]
    lines = [line for line in lines if line.get_label()]
    if ax.figure.get_layout_engine() is None or not 1 < len(lines) <= MAX_LINES:
        return False
    ax.get_xlim(), ax.get_ylim()  # settle the limits, on which positions depend
    ends = [_end(ax, line) for line in lines]
    box = ax.get_window_extent()
    points = 72 / ax.figure.dpi  # per pixel
    heights = [y * points for _, y in ends]
    names = [str(line.get_label()) for line in lines]
    if (
        max(map(len, names)) * 0.6 * FONT > MAX_SHARE * box.width * points
        or min(x for x, _ in ends) < box.x0 + 0.85 * box.width
        or (shifts := _shifts(heights)) is None
    ):
        return False
    if (legend := ax.get_legend()) is not None:
        legend.remove()
    for line, name, shift in zip(lines, names, shifts, strict=True):
        ax.annotate(
            name,
            (1.0, float(np.asarray(line.get_ydata())[-1])),
            xycoords=("axes fraction", "data"),
            xytext=(LEADER, shift),
            textcoords="offset points",
            va="center",
            fontsize=FONT,
            color=INK,
            gid=GID,
            arrowprops={
                "arrowstyle": "-",
                "color": line.get_color(),
                "linewidth": 1.2,
                "shrinkA": 1,
                "shrinkB": 0,
                "relpos": (0, 0.5),
            },
        )
    return True


def _end(ax: Axes, line: Line2D) -> tuple[float, float]:
    """Return the last point of a line in pixels."""
    last = np.asarray(line.get_xydata(), dtype=float)[-1]
    right, top = ax.transData.transform(last)
    return float(right), float(top)


def _shifts(heights: Sequence[float]) -> list[float] | None:
    """Return by how many points to raise each name so that none overlap; None if that is far."""
    order = sorted(range(len(heights)), key=heights.__getitem__)
    gaps = [heights[b] - heights[a] for a, b in pairwise(order)]
    if min(gaps) < MIN_APART:
        return None
    # Names that would overlap form a block, which is centred on the mean of its ends.
    blocks: list[list[int]] = []
    for index in order:
        blocks.append([index])
        while len(blocks) > 1 and _bottom(heights, blocks[-1]) < _top(heights, blocks[-2]):
            last = blocks.pop()
            blocks[-1] += last
    shifts = [0.0] * len(heights)
    for block in blocks:
        bottom = _bottom(heights, block) + SPACING * FONT / 2
        for position, index in enumerate(block):
            shifts[index] = bottom + position * SPACING * FONT - heights[index]
    return shifts if max(map(abs, shifts)) <= MAX_SHIFT else None


def _bottom(heights: Sequence[float], block: Sequence[int]) -> float:
    centre = sum(heights[index] for index in block) / len(block)
    return centre - len(block) * SPACING * FONT / 2


def _top(heights: Sequence[float], block: Sequence[int]) -> float:
    return _bottom(heights, block) + len(block) * SPACING * FONT
