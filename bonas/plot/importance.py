"""Bars of how much each choice matters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes

from bonas.analysis.importance import Importance, hyperparameter_importance
from bonas.analysis.sources import Source, history_of
from bonas.plot.style import COLOURS, GRID, axes, words


def importance(
    importances: Mapping[str, Importance] | Source, ax: Axes | None = None, *, most: int = 15
) -> Axes:
    """Draws importances as bars with their standard errors, the largest at the top.

    Args:
        importances: of `bonas.analysis.hyperparameter_importance` or `operation_importance`. A
            history, a search or its directory stands for its `hyperparameter_importance` with a
            generator of seed 0.
        ax: where to draw; by default a new figure of fitting size.
        most: how many bars; the others are left out, and how many they are is said.

    Returns:
        The axes.

    Raises:
        ValueError: the history has too few networks to say what matters.
        TypeError: what was given stands for neither importances nor a history.
        JournalError: the directory has no history, or it cannot be read.
    """
    if isinstance(importances, Mapping):
        found = importances
    else:
        found = hyperparameter_importance(history_of(importances), np.random.default_rng(0))
    order = sorted(found, key=lambda name: -found[name].mean)
    shown = order[:most]
    ax = axes(ax, 6.4, 1.0 + 0.3 * len(shown))
    ax.barh(
        range(len(shown)),
        [found[name].mean for name in shown],
        xerr=[found[name].error for name in shown],
        color=COLOURS[5],
        edgecolor="black",
        linewidth=0.6,
        capsize=3,
    )
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_yticks(range(len(shown)), [words(name) for name in shown])
    ax.set_ylim(len(shown) - 0.4, -0.6)
    left_out = len(order) - len(shown)
    more = f"\n{left_out} more are not shown" if left_out else ""
    ax.set_xlabel(f"importance (share of variance){more}")
    ax.grid(axis="x", alpha=GRID)
    return ax
