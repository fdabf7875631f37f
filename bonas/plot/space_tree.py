"""A configuration space as a tree of hyperparameters and their conditions."""

from __future__ import annotations

import matplotlib.pyplot as plt
from ConfigSpace import ConfigurationSpace
from matplotlib.axes import Axes

from bonas.analysis.sources import space_of
from bonas.plot.style import words
from spaces.display.palette import GREY
from spaces.display.tree import rows
from spaces.space import Space

MAX_ROWS = 80
FONT = 9.0
"""Largest height of the text in points."""

CHARACTER = 0.55
"""Mean width of a character, as a part of the height of the text."""

INDENT = 3
"""Characters by which a level is further right than the one above."""


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
    starts = [INDENT * row.level for row in shown] + [0] * (len(texts) - len(shown))
    # One unit is one character, so that the longest line is as wide as the axes.
    width = max((x + len(text) for x, text in zip(starts, texts, strict=True)), default=1)
    if ax is None:
        size = (CHARACTER * FONT / 72 * width + 0.2, 0.24 * len(texts) + 0.3)
        _, ax = plt.subplots(figsize=size, layout="constrained")
    points = ax.get_window_extent().width * 72 / ax.figure.dpi
    font = min(FONT, points / (CHARACTER * width))
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
        ax.text(x + 0.5, position, words(text), va="center", fontsize=font)
    ax.set_xlim(0, width + 1)
    ax.set_ylim(len(texts) - 0.4, -0.6)
    ax.axis("off")
    return ax
