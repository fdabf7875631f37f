"""Pareto fronts of searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bonas.analysis.sources import Runs, Source, history_of
from bonas.plot.style import COLOURS, GRID, MARKERS, axes, legend, nothing, percent, words
from bonas.plot.style import labels as labels_of
from fidelity.history.goal import COST
from fidelity.history.history import History
from fidelity.history.pareto import non_dominated
from fidelity.tasks.task import Measure


def points(
    history: History, names: tuple[str, str], evaluations: int | None = None
) -> Float[np.ndarray, "n 2"]:
    """Return two quantities of the feasible evaluations at the highest budget.

    Args:
        history: of the search.
        names: of the quantities.
        evaluations: the number of evaluations to count, from the first on; None counts all.
    """
    goal = history.goal
    feasible = [e for e in history.evaluations[:evaluations] if goal.feasible(e)]
    highest = max((e.trial.budget for e in feasible), default=0.0)
    rows = [[goal.value(e, name) for name in names] for e in feasible if e.trial.budget == highest]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def front(costs: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "m 2"]:
    """Return the distinct non-dominated points by ascending first cost."""
    points: Float[np.ndarray, "m 2"] = np.unique(costs[non_dominated(costs)], axis=0)
    return points


def pareto(
    histories: Source | Mapping[str, Source],
    ax: Axes | None = None,
    *,
    quantities: tuple[str, str] | None = None,
    labels: tuple[str, str] | None = None,
    after: Sequence[int] = (),
    true_front: Float[np.ndarray, "n 2"] | None = None,
) -> Axes:
    """Draw the Pareto fronts of one or several searches in two quantities, both minimised.

    Evaluations are faint dots; the staircase bounds the region that the front dominates.

    Args:
        histories: a history, a search or a directory; several by name.
        ax: the axes; by default a new figure.
        quantities: of the horizontal and the vertical axis; by default the second and the first
            objective.
        labels: of the two axes, with units; by default the names of the quantities, and the measure
            of the cost, a fraction in percent.
        after: numbers of evaluations after which earlier fronts are drawn too, faintly.
        true_front: the true Pareto front, if known; one point per row.

    Raises:
        ValueError: a search has only one objective, and no quantities are named.
        TypeError, JournalError: a source has no readable history.
    """
    given = histories if isinstance(histories, Mapping) else {"": histories}
    searches = [history_of(source) for source in given.values()]
    ax = axes(ax, 6.4, 4.4)
    names = quantities
    for index, (label, history) in enumerate(zip(labels_of(given), searches, strict=True)):
        names = names or _axes(history)
        colour = COLOURS[index % len(COLOURS)]
        everything = points(history, names)
        ax.scatter(everything[:, 0], everything[:, 1], s=12, color=colour, alpha=0.25, linewidths=0)
        for position, number in enumerate(sorted(after)):
            alpha = 0.25 + 0.5 * position / len(after)
            earlier = front(points(history, names, number))
            text = f"{label + ', ' if label else ''}after {number}"
            ax.step(*earlier.T, ":", where="post", color=colour, alpha=alpha, label=text)
        marker = MARKERS[index % len(MARKERS)]
        style: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 5}
        last = f"after {len(history)}" if after else ""
        text = ", ".join(filter(None, [label, last])) or "front"
        ax.step(*front(everything).T, "-", where="post", label=text, **style)
    if true_front is not None:
        ax.step(*front(true_front).T, "--", where="post", color="black", lw=1, label="true front")
    if names is not None:
        _label(ax, names, labels, Runs.of(given).measure)
    if ax.get_xscale() == "linear":
        ax.xaxis.set_major_locator(MaxNLocator(6))  # leaves room for long numbers
    ax.grid(alpha=GRID)
    if np.isfinite(ax.dataLim.x0):
        legend(ax)
    else:
        nothing(ax)
    return ax


def _label(
    ax: Axes, names: tuple[str, str], labels: tuple[str, str] | None, measure: Measure
) -> None:
    """Label both axes, by default with the names of the quantities and the measure of the cost."""
    own = [measure.name if name == COST else words(name.replace("_", " ")) for name in names]
    for axis, name, label in zip((ax.xaxis, ax.yaxis), names, labels or own, strict=True):
        axis.set_label_text(label)
        if labels is None and name == COST and measure.fraction:
            percent(axis)


def _axes(history: History) -> tuple[str, str]:
    objectives = history.goal.objectives
    if len(objectives) < 2:
        raise ValueError(
            f"the search has only the objective '{objectives[0]}': name two quantities, such as "
            f"quantities=('parameters', '{objectives[0]}')"
        )
    return objectives[1], objectives[0]
