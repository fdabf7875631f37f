"""The brackets of a schedule: the number of trials at each budget.

Li et al. 2018, "Hyperband: a novel bandit-based approach to hyperparameter optimization",
JMLR 18(185), table 1, as a picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from matplotlib.axes import Axes

from bonas.analysis.sources import wrong
from bonas.plot.logarithmic import budget_axis
from bonas.plot.style import COLOURS, axes
from fidelity.schedules.bracket import HasBrackets, Rung
from spaces.display.palette import INK

AREA = 1000.0
"""Area of the largest rung in square points."""


def brackets(schedule: HasBrackets, ax: Axes | None = None, *, unit: str = "epochs") -> Axes:
    """Draw each kind of bracket as a row, with a circle for each rung.

    The area of a circle is proportional to its number of trials. The label of a bracket says what
    it spends if promotions resume from checkpoints.

    Args:
        schedule: `Hyperband` or `SuccessiveHalving`.
        ax: the axes; by default a new figure of fitting size.
        unit: of the budget.

    Raises:
        TypeError: `schedule` is no schedule with brackets.
    """
    # A history has brackets too, but no method `next`.
    has_brackets = hasattr(schedule, "bracket") and hasattr(schedule, "next")
    if isinstance(schedule, type) or not has_brackets:
        raise wrong("a schedule of brackets: `Hyperband` or `SuccessiveHalving`", schedule)
    kinds = [schedule.bracket(0)]
    while (rungs := schedule.bracket(len(kinds))) != kinds[0]:
        kinds.append(rungs)
    ax = axes(ax, 6.4, 1.2 + 0.8 * len(kinds))
    most = max(rung.trials for rungs in kinds for rung in rungs)
    for row, rungs in enumerate(kinds):
        for before, after in pairwise(rungs):
            ax.plot([before.budget, after.budget], [row, row], color=INK, linewidth=1, zorder=1)
        areas = [AREA * rung.trials / most for rung in rungs]
        budgets = [rung.budget for rung in rungs]
        rows = [row] * len(rungs)
        ax.scatter(budgets, rows, areas, color=COLOURS[5], edgecolors=INK, zorder=2)
        for rung, area in zip(rungs, areas, strict=True):
            inside = area > 220
            ax.annotate(
                f"{rung.trials}",
                (rung.budget, row),
                xytext=(0, 0 if inside else area**0.5 / 2 + 3),
                textcoords="offset points",
                ha="center",
                va="center" if inside else "bottom",
                fontsize=9,
                zorder=3,
            )
    budget_axis(ax, sorted({rung.budget for rungs in kinds for rung in rungs}))
    labels = [f"bracket {row}\n{_spent(rungs):g} {unit}" for row, rungs in enumerate(kinds)]
    ax.set_yticks(range(len(kinds)), labels)
    ax.set_ylim(len(kinds) - 0.4, -0.6)
    ax.margins(x=0.12)
    ax.set_xlabel(f"budget ({unit})")
    ax.set_title("trials per rung", fontsize=10)
    return ax


def _spent(rungs: Sequence[Rung]) -> float:
    before = [0.0, *(rung.budget for rung in rungs)]
    return sum(r.trials * (r.budget - b) for r, b in zip(rungs, before, strict=False))
