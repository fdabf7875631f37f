"""Architectures as points in a plane, coloured by cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.ticker import FuncFormatter

from bonas.analysis.sources import Source, history_of, space_of
from bonas.plot.style import axes, percent, star
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.encoding import Encoder
from spaces.space import Space

Rows = Float[np.ndarray, "n d"]


@dataclass(frozen=True)
class Projection:
    """Feature vectors projected into a plane.

    Attributes:
        points: the position of each row of features.
        labels: of the two axes.
    """

    points: Float[np.ndarray, "n 2"] = field(repr=False)
    labels: tuple[str, str]


def principal_components(rows: Rows) -> Projection:
    """Project rows onto their two directions of greatest variance (Pearson 1901)."""
    centred = rows - rows.mean(axis=0)
    left, scales, right = np.linalg.svd(centred, full_matrices=False)
    # The sign of a direction is arbitrary: make its largest weight positive.
    signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(axis=1)])
    points = np.zeros((len(rows), 2))
    points[:, : len(scales)] = (left * scales * signs)[:, :2]
    shares = np.zeros(2)
    shares[: len(scales)] = (scales**2 / max((scales**2).sum(), 1e-300))[:2]
    first, second = (
        f"component {i + 1} ({share:.0%} of variance)" for i, share in enumerate(shares)
    )
    return Projection(points, (first, second))


@dataclass(frozen=True)
class TSNE:
    """A projection that keeps neighbours close (van der Maaten & Hinton 2008, by scikit-learn).

    Attributes:
        perplexity: the approximate number of neighbours of each row.
        seed: of the optimisation.
    """

    perplexity: float = 30.0
    seed: int = 0

    def __call__(self, rows: Rows) -> Projection:
        """Project rows of features; the axes have no unit."""
        from sklearn.manifold import TSNE as Embedding

        perplexity = min(self.perplexity, max(1.0, (len(rows) - 1) / 3))
        tsne = Embedding(  # type: ignore[no-untyped-call]
            2, perplexity=perplexity, init="pca", random_state=self.seed
        )
        return Projection(tsne.fit_transform(rows), ("t-SNE 1 (no unit)", "t-SNE 2 (no unit)"))


def embedding(
    space: Space,
    history: Source,
    ax: Axes | None = None,
    *,
    project: Callable[[Rows], Projection] = principal_components,
    label: str | None = None,
) -> Axes:
    """Draw each evaluated network at its projected features, and mark the incumbent.

    The features are those of `spaces.encoding.Encoder`: hyperparameters, subgraphs
    (Weisfeiler-Lehman) and paths. The cost of a network is its lowest one at its highest budget;
    each shade stands for the same number of networks.

    Args:
        space: of the architectures.
        history: of a search; or the search, or its directory.
        ax: the axes; by default a new figure.
        project: projects features into the plane: `principal_components` or `TSNE()`.
        label: of the costs, with the unit if there is one; by default the measure of the cost, a
            fraction in percent.

    Raises:
        ValueError: fewer than three networks have a cost.
        TypeError: `space` is no space, or `history` has no history.
        JournalError: the directory holds no history, or the history cannot be read.
    """
    space, history = space_of(space), history_of(history)
    evaluations = networks(history)
    if len(evaluations) < 3:
        raise ValueError(f"{len(evaluations)} networks have a cost: 3 or more are needed")
    rows = Encoder(space).encode([e.trial.configuration for e in evaluations]).rows
    projection = project(rows)
    ax = axes(ax, 5.6, 4.4)
    # The best networks are drawn last, on top of the others.
    order = sorted(range(len(evaluations)), key=lambda index: -evaluations[index].cost)
    x, y = projection.points[order].T
    costs = [evaluations[index].cost for index in order]
    dots = ax.scatter(x, y, 22, costs, edgecolors="black", linewidths=0.3, **_shading(costs))
    if history.incumbent is not None:
        keys = [evaluation.trial.key for evaluation in evaluations]
        best = keys.index(history.incumbent.trial.key)
        x, y = projection.points[best]
        star(ax, x, y, "incumbent")
    ax.set_xlabel(projection.labels[0])
    ax.set_ylabel(projection.labels[1])
    measure = history.goal.measure
    bar = ax.figure.colorbar(dots, ax=ax, label=measure.name if label is None else label)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    if label is None and measure.fraction:
        percent(bar.ax.yaxis)
    return ax


def _shading(costs: list[float]) -> dict[str, Any]:
    """Give each eighth of the networks a shade, so that outliers do not use up the range."""
    levels = np.unique(np.quantile(costs, np.linspace(0, 1, 9)))
    if len(levels) < 2:
        return {"cmap": "cividis"}
    return {"cmap": "cividis", "norm": BoundaryNorm(levels.tolist(), 256)}


def networks(history: History) -> list[Evaluation]:
    """Return the evaluation of lowest cost at the highest budget of each successful network."""
    best: dict[str, Evaluation] = {}
    for evaluation in history.evaluations:
        earlier = best.get(evaluation.trial.key)
        if evaluation.succeeded and (earlier is None or _rank(evaluation) < _rank(earlier)):
            best[evaluation.trial.key] = evaluation
    return list(best.values())


def _rank(evaluation: Evaluation) -> tuple[float, float]:
    return -evaluation.trial.budget, evaluation.cost
