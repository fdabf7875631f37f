"""Learning curves, grouped by their final budget."""

from __future__ import annotations

from matplotlib.axes import Axes

from bonas.analysis.learning_curves import curves
from bonas.analysis.sources import Source, history_of
from bonas.plot.logarithmic import budget_axis
from bonas.plot.style import GRID, MARKERS, STYLES, axes, nothing, percent, shades


def learning_curves(
    history: Source, ax: Axes | None = None, *, label: str | None = None, unit: str = "epochs"
) -> Axes:
    """Draw the cost of each configuration during its training, the longest curves darkest.

    Args:
        history: of a search with any schedule; or the search, or its directory.
        ax: the axes; by default a new figure.
        label: of the vertical axis; by default the measure of the cost, a fraction in percent.
        unit: of the budget.

    Returns:
        The axes. The horizontal axis is logarithmic if the budgets grow at least eightfold; if a
        curve starts at zero, it is linear below the lowest budget.

    Raises:
        TypeError, JournalError: `history` has no readable history.
    """
    history = history_of(history)
    by_budget, measure = curves(history), history.goal.measure
    ax = axes(ax)
    for index, (budget, lines) in enumerate(by_budget.items()):
        colour = shades(len(by_budget))[index]
        style, marker = STYLES[::-1][index % len(STYLES)], MARKERS[index % len(MARKERS)]
        for points in lines:
            ax.plot(*zip(*points, strict=True), style, color=colour, linewidth=1, alpha=0.8)
        ends = [points[-1] for points in lines]
        name = f"{budget:g} ({len(lines)})"
        ax.plot(
            *zip(*ends, strict=True), marker, color=colour, label=name, markersize=5, mec="black"
        )
    if by_budget:
        budget_axis(ax, list(by_budget))
        ax.legend(
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=min(len(by_budget), 5),
            title=f"final budget in {unit} (trials)",
            title_fontsize=9,
            fontsize=9,
            frameon=False,
        )
    else:
        nothing(ax)
    ax.set_xlabel(f"budget ({unit})")
    ax.set_ylabel(measure.name if label is None else label)
    if label is None and measure.fraction:
        percent(ax.yaxis)
    ax.grid(alpha=GRID)
    return ax
