"""Learning curves, told apart by the rung at which they ended."""

from __future__ import annotations

from matplotlib.axes import Axes

from bonas.analysis.learning_curves import curves
from bonas.analysis.sources import Source, history_of
from bonas.plot.style import GRID, MARKERS, STYLES, axes, budget_axis, nothing, shades


def learning_curves(
    history: Source,
    ax: Axes | None = None,
    *,
    label: str = "cost",
    unit: str = "epochs",
) -> Axes:
    """Draws the cost of each configuration while it was trained, the dark ones the longest.

    Args:
        history: of a search with any schedule; or the search, or its directory.
        ax: where to draw; by default a new figure.
        label: of the vertical axis.
        unit: of the budget.

    Returns:
        The axes, horizontally logarithmic if the budgets grow at least eightfold (from the lowest
        budget on, where a curve begins at zero).

    Raises:
        TypeError: what was given stands for no history.
        JournalError: the directory has no history, or it cannot be read.
    """
    found = curves(history_of(history))
    ax = axes(ax)
    for index, (budget, lines) in enumerate(found.items()):
        colour = shades(len(found))[index]
        style, marker = STYLES[::-1][index % len(STYLES)], MARKERS[index % len(MARKERS)]
        for points in lines:
            ax.plot(*zip(*points, strict=True), style, color=colour, linewidth=1, alpha=0.8)
        ends = [points[-1] for points in lines]
        name = f"{budget:g} ({len(lines)})"
        ax.plot(
            *zip(*ends, strict=True), marker, color=colour, label=name, markersize=5, mec="black"
        )
    if found:
        budget_axis(ax, list(found))
        ax.legend(
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=min(len(found), 5),
            title=f"{unit} (configurations)",
            title_fontsize=9,
            fontsize=9,
            frameon=False,
        )
    else:
        nothing(ax)
    ax.set_xlabel(f"{unit} trained")
    ax.set_ylabel(label)
    ax.grid(alpha=GRID)
    return ax
