"""What the workers did when."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from bonas.analysis.sources import Source, history_of
from bonas.plot.style import axes, nothing, shades
from fidelity.history.trial import Evaluation

HEIGHT = 0.8
"""Of a bar; workers are 1 apart."""


def lanes(evaluations: Sequence[Evaluation]) -> list[int]:
    """For each evaluation a worker that is free then: the one with the lowest number.

    A history does not say which worker it was; so many are drawn as there were busy at once.
    """
    order = sorted(range(len(evaluations)), key=lambda i: (evaluations[i].started, i))
    ends: list[float] = []
    found = [0] * len(evaluations)
    for place in order:
        started = evaluations[place].started
        # Rounding must not open a new one where an evaluation follows on another.
        free = [lane for lane, end in enumerate(ends) if end <= started * (1 + 1e-9) + 1e-9]
        lane = free[0] if free else len(ends)
        if not free:
            ends.append(0.0)
        ends[lane] = started + evaluations[place].seconds
        found[place] = lane
    return found


def timeline(history: Source, ax: Axes | None = None, *, unit: str = "epochs") -> Axes:
    """Draws each evaluation as a bar from its beginning to its end; failures are crossed out.

    The darker, the higher its budget. Results that were known already take no time.

    Args:
        history: of a search with any number of workers; or the search, or its directory.
        ax: where to draw; by default a new figure of fitting size.
        unit: of the budget.

    Returns:
        The axes.

    Raises:
        TypeError: what was given stands for no history.
        JournalError: the directory has no history, or it cannot be read.
    """
    evaluations = [e for e in history_of(history).evaluations if e.reused is None]
    found = lanes(evaluations)
    workers = max(found, default=0) + 1
    ax = axes(ax, 7.0, 1.4 + 0.25 * workers)
    budgets = sorted({e.trial.budget for e in evaluations})
    colours = dict(zip(budgets, shades(len(budgets)), strict=True))
    for evaluation, lane in zip(evaluations, found, strict=True):
        failed = not evaluation.succeeded
        ax.barh(
            lane,
            evaluation.seconds,
            HEIGHT,
            left=evaluation.started,
            color="white" if failed else colours[evaluation.trial.budget],
            edgecolor="black",
            linewidth=0.4,
            hatch="xxx" if failed else None,
        )
    keys = [
        Patch(facecolor=colours[budget], edgecolor="black", label=f"{budget:g}")
        for budget in budgets
    ]
    if any(not e.succeeded for e in evaluations):
        keys.append(Patch(facecolor="white", edgecolor="black", hatch="xxx", label="failed"))
    if not evaluations:
        nothing(ax, "nothing has been evaluated yet")
    if keys:
        ax.legend(
            handles=keys,
            loc="lower center",
            bbox_to_anchor=(0.5, 1.0),
            ncols=min(len(keys), 5),
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
