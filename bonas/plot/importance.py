"""Importances as bars."""

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
    """Draw importances as bars with standard errors, the largest at the top.

    Args:
        importances: the result of `bonas.analysis.hyperparameter_importance` or
            `operation_importance`. For a history, a search or its directory,
            `hyperparameter_importance` is computed with a generator of seed 0.
        ax: the axes; by default a new figure of fitting size.
        most: the maximal number of bars; the axis label says how many are left out.

    Raises:
        ValueError: the history has too few networks to measure importance.
        TypeError: `importances` is neither a mapping nor a source of a history.
        JournalError: the directory holds no history, or the history cannot be read.
    """
    if isinstance(importances, Mapping):
        named = importances
    else:
        named = hyperparameter_importance(history_of(importances), np.random.default_rng(0))
    order = sorted(named, key=lambda name: -named[name].mean)
    shown = order[:most]
    ax = axes(ax, 6.4, 1.0 + 0.3 * len(shown))
    ax.barh(
        range(len(shown)),
        [named[name].mean for name in shown],
        xerr=[named[name].error for name in shown],
        color=COLOURS[5],
        edgecolor="black",
        linewidth=0.6,
        capsize=3,
    )
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_yticks(range(len(shown)), [words(name) for name in shown])
    ax.set_ylim(len(shown) - 0.4, -0.6)
    left_out = len(order) - len(shown)
    more = f"\n{left_out} more not shown" if left_out else ""
    ax.set_xlabel(f"importance ± standard error\n(share of variance){more}")
    ax.grid(axis="x", alpha=GRID)
    return ax
