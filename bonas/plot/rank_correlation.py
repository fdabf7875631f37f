"""How far the ranking at one budget is that at another one."""

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
    """Spearman's rank correlation of the costs of the same configurations at two budgets.

    Learning curves that were reported on the way count at the budgets that they pass.

    Returns:
        The budgets of the histories, ascending; the correlations, not a number where there are
        fewer than three configurations or all cost the same; and the numbers of configurations.
    """
    budgets = sorted({budget for history in histories for budget in history.budgets})
    rows = [
        [dict(points).get(budget, np.nan) for budget in budgets]
        for history in histories
        for lines in curves(history).values()
        for points in lines
    ]
    costs = np.array(rows, dtype=float).reshape(len(rows), len(budgets))
    known = np.isfinite(costs)
    numbers = known.T.astype(int) @ known.astype(int)
    found = np.full((len(budgets), len(budgets)), np.nan)
    for i in range(len(budgets)):
        for j in range(len(budgets)):
            both = costs[known[:, i] & known[:, j]]
            found[i, j] = spearman(both[:, i], both[:, j])
    return budgets, found, numbers


def rank_correlation(histories: Sources, ax: Axes | None = None, *, unit: str = "epochs") -> Axes:
    """Draws Spearman's rank correlations between budgets, and of how many configurations.

    A schedule promotes the best alone, whose costs are close to each other: their correlation is
    below that of all networks.

    Args:
        histories: of one search or several, with or without names, or a comparison. A search or
            its directory stands for its history.
        ax: where to draw; by default a new figure.
        unit: of the budget.

    Returns:
        The axes, empty where nothing was evaluated.

    Raises:
        TypeError: what was given stands for no history.
        JournalError: the directory has no history, or it cannot be read.
    """
    budgets, found, numbers = correlations(Runs.of(histories).every())
    ax = axes(ax, 5.2, 4.4)
    shades = colormaps["cividis"].with_extremes(bad="white")
    ax.set_xlabel(f"budget ({unit})")
    ax.set_ylabel(f"budget ({unit})")
    if not budgets:
        nothing(ax, "nothing has been evaluated yet")
        return ax
    image = ax.imshow(np.ma.masked_invalid(found), cmap=shades, vmin=0, vmax=1)
    for i in range(len(budgets)):
        for j in range(len(budgets)):
            value = found[i, j]
            number = "" if np.isnan(value) else f"{value:.2f}\n"
            colour = "black" if np.isnan(value) else ink_on(shades(value))
            text = f"{number}n={numbers[i, j]}"
            ax.text(j, i, text, ha="center", va="center", fontsize=8, color=colour)
    labels = [f"{budget:g}" for budget in budgets]
    ax.set_xticks(range(len(budgets)), labels)
    ax.set_yticks(range(len(budgets)), labels)
    ax.figure.colorbar(image, ax=ax, label="rank correlation (Spearman)")
    return ax
