"""Evaluations of each worker over time."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from bonas.analysis.sources import Source, history_of
from bonas.plot.style import axes, nothing, shades
from fidelity.history.trial import Evaluation

BAR_HEIGHT = 0.8
"""Height of a bar; workers are 1 apart."""


def lanes(evaluations: Sequence[Evaluation]) -> list[int]:
    """Assign each evaluation to the free worker of lowest number.

    A history does not record the workers, so the number of lanes is the number of evaluations that
    ever ran at once.
    """
    order = sorted(range(len(evaluations)), key=lambda i: (evaluations[i].started, i))
    ends: list[float] = []
    assigned = [0] * len(evaluations)
    for index in order:
        started = evaluations[index].started
        # Allow for rounding if one evaluation follows another without a gap.
        free = [lane for lane, end in enumerate(ends) if end <= started * (1 + 1e-9) + 1e-9]
        lane = free[0] if free else len(ends)
        if not free:
            ends.append(0.0)
        ends[lane] = started + evaluations[index].seconds
        assigned[index] = lane
    return assigned


def timeline(history: Source, ax: Axes | None = None, *, unit: str = "epochs") -> Axes:
    """Draw each evaluation as a bar from its start to its end; failures are crossed out.

    Darker bars have higher budgets. Reused results take no time and are left out.

    Args:
        history: of a search with any number of workers; or the search, or its directory.
        ax: the axes; by default a new figure of fitting size.
        unit: of the budget.

    Raises:
        TypeError, JournalError: `history` has no readable history.
    """
    evaluations = [e for e in history_of(history).evaluations if e.reused is None]
    assigned = lanes(evaluations)
    workers = max(assigned, default=0) + 1
    ax = axes(ax, 7.0, 1.4 + 0.25 * workers)
    budgets = sorted({e.trial.budget for e in evaluations})
    colours = dict(zip(budgets, shades(len(budgets)), strict=True))
    for evaluation, lane in zip(evaluations, assigned, strict=True):
        failed = not evaluation.succeeded
        ax.barh(
            lane,
            evaluation.seconds,
            BAR_HEIGHT,
            left=evaluation.started,
            color="white" if failed else colours[evaluation.trial.budget],
            edgecolor="black",
            linewidth=0.4,
            hatch="xxx" if failed else None,
        )
    handles = [
        Patch(facecolor=colours[budget], edgecolor="black", label=f"{budget:g}")
        for budget in budgets
    ]
    if any(not e.succeeded for e in evaluations):
        handles.append(Patch(facecolor="white", edgecolor="black", hatch="xxx", label="failed"))
    if not evaluations:
        nothing(ax, "nothing has been evaluated yet")
    if handles:
        ax.legend(
            handles=handles,
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=min(len(handles), 5),
            title=f"budget ({unit})",
            title_fontsize=9,
            frameon=False,
            fontsize=9,
        )
    ax.set_xlabel("seconds since the search began")
    ax.set_ylabel("worker")
    ax.set_ylim(workers - 0.4, -0.6)
    ax.set_xlim(left=0)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    return ax
