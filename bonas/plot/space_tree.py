"""A configuration space as a tree of hyperparameters and their conditions."""

from __future__ import annotations

import matplotlib.pyplot as plt
from ConfigSpace import ConfigurationSpace
from matplotlib.axes import Axes
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextToPath

from bonas.analysis.sources import space_of
from bonas.plot.style import words
from spaces.display.palette import GREY
from spaces.display.tree import rows
from spaces.space import Space

MAX_ROWS = 80
FONT = 9.0
"""Largest height of the text in points."""

INDENT = 1.6
"""Distance of a level from the one above, in heights of the text."""


def space_tree(
    space: ConfigurationSpace | Space, ax: Axes | None = None, *, most: int = MAX_ROWS
) -> Axes:
    """Draw the hyperparameters of a space, each below the one that activates it.

    Args:
        space: a configuration space, or a space of architectures.
        ax: the axes; by default a new figure.
        most: the maximal number of hyperparameters; a last line says how many are left out.

    Raises:
        TypeError: `space` is no space.
    """
    if not isinstance(space, ConfigurationSpace):
        expected = "a ConfigurationSpace or a space of architectures"
        space = space_of(space, expected).configuration_space
    listed = rows(space)
    shown = listed[:most]
    texts = [row.text for row in shown]
    if len(listed) > most:
        texts.append(f"... and {len(listed) - most} more")
    texts = [words(text) for text in texts]
    starts = [INDENT * row.level for row in shown] + [0.0] * (len(texts) - len(shown))
    # One unit is the height of the text, so that the longest line is as wide as the axes.
    width = max((x + _width(text) for x, text in zip(starts, texts, strict=True)), default=1.0)
    if ax is None:
        size = (FONT / 72 * (width + 0.6) + 0.1, 0.24 * len(texts) + 0.3)
        _, ax = plt.subplots(figsize=size, layout="constrained")
    points = ax.get_window_extent().width * 72 / ax.figure.dpi
    font = min(FONT, points / (width + 0.6))
    for position, row in enumerate(shown):
        if row.parent is not None:
            x = INDENT * (shown[row.parent].level + 0.25)
            ax.plot(
                [x, x, INDENT * row.level],
                [row.parent + 0.3, position, position],
                color=GREY,
                linewidth=0.8,
            )
    for position, (x, text) in enumerate(zip(starts, texts, strict=True)):
        ax.text(x + 0.3, position, text, va="center", fontsize=font)
    ax.set_xlim(0, width + 0.6)
    ax.set_ylim(len(texts) - 0.4, -0.6)
    ax.axis("off")
    return ax


def _width(text: str) -> float:
    """Return the width of a text in the default font, in heights of the text."""
    font = FontProperties(size=100)
    width, _, _ = TextToPath().get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 100
