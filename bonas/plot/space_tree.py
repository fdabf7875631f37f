"""A configuration space as a tree of hyperparameters and their conditions."""

from __future__ import annotations

import matplotlib.pyplot as plt
from ConfigSpace import ConfigurationSpace
from matplotlib.axes import Axes

from bonas.analysis.sources import space_of
from bonas.plot.style import words
from spaces.display.tree import rows
from spaces.space import Space

MAX_ROWS = 80


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
    if ax is None:
        _, ax = plt.subplots(figsize=(11, 0.24 * len(shown) + 0.8), layout="constrained")
    for position, row in enumerate(shown):
        if row.parent is not None:
            x = shown[row.parent].level + 0.25
            ax.plot(
                [x, x, row.level],
                [row.parent + 0.3, position, position],
                color="#999999",
                linewidth=0.8,
            )
        ax.text(row.level + 0.1, position, words(row.text), va="center", fontsize=8)
    if len(listed) > most:
        ax.text(0.1, len(shown), f"... and {len(listed) - most} more", va="center", fontsize=8)
    ax.set_xlim(0, max((row.level for row in shown), default=0) + 8)
    ax.set_ylim(len(shown) + 0.5, -1)
    ax.axis("off")
    return ax
