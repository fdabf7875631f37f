"""Rank correlation of costs between budgets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib import colormaps
from matplotlib.axes import Axes

from bonas.analysis.learning_curves import curves
from bonas.analysis.sources import Runs, Sources
from bonas.plot.spearman import spearman
from bonas.plot.style import axes, ink_on, nothing
from fidelity.history.history import History


def correlations(
    histories: Sequence[History],
) -> tuple[list[float], Float[np.ndarray, "budgets budgets"], Int[np.ndarray, "budgets budgets"]]:
    """Return Spearman's rank correlation of the costs at each pair of budgets.

    Intermediate costs of learning curves count at the budgets at which they were reported.

    Returns:
        The ascending budgets of the histories; the correlations, NaN for fewer than three
        configurations or equal costs; and the numbers of configurations.
    """
    budgets = sorted({budget for history in histories for budget in history.budgets})
    rows = [
        [dict(points).get(budget, np.nan) for budget in budgets]
        for history in histories
        for lines in curves(history).values()
        for points in lines
    ]
    costs = np.array(rows, dtype=float).reshape(len(rows), len(budgets))
    observed = np.isfinite(costs)
    numbers = observed.T.astype(int) @ observed.astype(int)
    matrix = np.full((len(budgets), len(budgets)), np.nan)
    for i in range(len(budgets)):
        for j in range(len(budgets)):
            both = costs[observed[:, i] & observed[:, j]]
            matrix[i, j] = spearman(both[:, i], both[:, j])
    return budgets, matrix, numbers


def rank_correlation(histories: Sources, ax: Axes | None = None, *, unit: str = "epochs") -> Axes:
    """Draw Spearman's rank correlations between budgets, and the numbers of configurations.

    A schedule promotes only the best configurations, whose costs are similar: their correlation is
    lower than that of all networks.

    Args:
        histories: one or several histories, searches or directories, with or without names; or a
            comparison.
        ax: the axes; by default a new figure.
        unit: of the budget.

    Returns:
        The axes, empty if nothing was evaluated.

    Raises:
        TypeError, JournalError: a source has no readable history.
    """
    budgets, matrix, numbers = correlations(Runs.of(histories).every())
    ax = axes(ax, 5.2, 4.4)
    shades = colormaps["cividis"].with_extremes(bad="white")
    ax.set_xlabel(f"budget ({unit})")
    ax.set_ylabel(f"budget ({unit})")
    if not budgets:
        nothing(ax, "nothing has been evaluated yet")
        return ax
    image = ax.imshow(np.ma.masked_invalid(matrix), cmap=shades, vmin=0, vmax=1)
    for i in range(len(budgets)):
        for j in range(len(budgets)):
            value = matrix[i, j]
            number = "" if np.isnan(value) else f"{value:.2f}\n"
            colour = "black" if np.isnan(value) else ink_on(shades(value))
            text = f"{number}n={numbers[i, j]}"
            ax.text(j, i, text, ha="center", va="center", fontsize=8, color=colour)
    labels = [f"{budget:g}" for budget in budgets]
    ax.set_xticks(range(len(budgets)), labels)
    ax.set_yticks(range(len(budgets)), labels)
    ax.figure.colorbar(image, ax=ax, label="Spearman's rank correlation")
    return ax
