"""Bars of how much each choice matters."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from bonas.importance import Importance
from bonas.plot.style import COLOURS, GRID, axes


def importance(
    importances: Mapping[str, Importance], ax: Axes | None = None, *, most: int = 15
) -> Axes:
    """Draws importances as bars with their standard errors, the largest at the top.

    Args:
        importances: of `bonas.importance.hyperparameter_importance` or `operation_importance`.
        ax: where to draw; by default a new figure of fitting size.
        most: how many bars; the others are left out, and how many they are is said.

    Returns:
        The axes.
    """
    order = sorted(importances, key=lambda name: -importances[name].mean)
    shown = order[:most]
    ax = axes(ax, 6.4, 1.0 + 0.3 * len(shown))
    ax.barh(
        range(len(shown)),
        [importances[name].mean for name in shown],
        xerr=[importances[name].error for name in shown],
        color=COLOURS[5],
        edgecolor="black",
        linewidth=0.6,
        capsize=3,
    )
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_yticks(range(len(shown)), shown)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    left_out = len(order) - len(shown)
    more = f"\n{left_out} more are not shown" if left_out else ""
    ax.set_xlabel(f"importance (share of variance){more}")
    ax.grid(axis="x", alpha=GRID)
    return ax
