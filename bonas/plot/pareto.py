"""Fronts of searches with several objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from bonas.analysis.sources import Source, history_of
from bonas.plot.style import COLOURS, GRID, MARKERS, axes, legend, nothing, words
from bonas.plot.style import labels as labels_of
from fidelity.history.history import History
from fidelity.history.pareto import non_dominated


def points(
    history: History, names: tuple[str, str], evaluations: int | None = None
) -> Float[np.ndarray, "n 2"]:
    """Two quantities of what was evaluated at the highest budget and keeps all limits.

    Args:
        history: of the search.
        names: of the quantities.
        evaluations: so many of the first count; None counts all.
    """
    goal = history.goal
    first = history.evaluations[:evaluations]
    kept = [evaluation for evaluation in first if goal.feasible(evaluation)]
    highest = max((evaluation.trial.budget for evaluation in kept), default=0.0)
    found = [
        [goal.value(evaluation, name) for name in names]
        for evaluation in kept
        if evaluation.trial.budget == highest
    ]
    return np.array(found, dtype=np.float64).reshape(-1, 2)


def front(costs: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "m 2"]:
    """What no other point dominates, each point once, by ascending first cost."""
    kept: Float[np.ndarray, "m 2"] = np.unique(costs[non_dominated(costs)], axis=0)
    return kept


def pareto(
    histories: Source | Mapping[str, Source],
    ax: Axes | None = None,
    *,
    quantities: tuple[str, str] | None = None,
    labels: tuple[str, str] | None = None,
    after: Sequence[int] = (),
    true_front: Float[np.ndarray, "n 2"] | None = None,
) -> Axes:
    """Draws the fronts of one or several searches in two quantities, both minimised.

    What was evaluated is faint; the border of what the front dominates is a staircase.

    Args:
        histories: of a search, or of several by name. A search or its directory stands for its
            history.
        ax: where to draw; by default a new figure.
        quantities: for the horizontal and the vertical axis, by default the second and the first
            objective. With more objectives, the front of these two is drawn.
        labels: of the two axes, with their units; by default the names of the quantities.
        after: earlier fronts are drawn too, after so many evaluations, the earlier the fainter.
        true_front: the best there is, where that is known; one point a row.

    Returns:
        The axes.

    Raises:
        ValueError: a search has one objective only, and no quantities were named.
        TypeError: what was given stands for no history.
        JournalError: a directory has no history, or it cannot be read.
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
        for place, number in enumerate(sorted(after)):
            shade = 0.25 + 0.5 * place / len(after)
            earlier = front(points(history, names, number))
            text = f"{label + ', ' if label else ''}after {number}"
            ax.step(*earlier.T, ":", where="post", color=colour, alpha=shade, label=text)
        marker = MARKERS[index % len(MARKERS)]
        style: dict[str, Any] = {"color": colour, "marker": marker, "markersize": 5}
        last = f"after {len(history)}" if after else ""
        text = ", ".join(filter(None, [label, last])) or "front"
        ax.step(*front(everything).T, "-", where="post", label=text, **style)
    if true_front is not None:
        ax.step(*front(true_front).T, "--", where="post", color="black", lw=1, label="true front")
    if names is not None:
        horizontal, vertical = labels or (words(name.replace("_", " ")) for name in names)
        ax.set_xlabel(horizontal)
        ax.set_ylabel(vertical)
    if ax.get_xscale() == "linear":
        ax.xaxis.set_major_locator(MaxNLocator(6))  # long numbers need their room
    ax.grid(alpha=GRID)
    if np.isfinite(ax.dataLim.x0):
        legend(ax)
    else:
        nothing(ax)
    return ax


def _axes(history: History) -> tuple[str, str]:
    objectives = history.goal.objectives
    if len(objectives) < 2:
        raise ValueError(
            f"the search has the objective '{objectives[0]}' only: name two quantities, such as "
            f"quantities=('parameters', '{objectives[0]}')"
        )
    return objectives[1], objectives[0]
