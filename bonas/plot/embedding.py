"""Architectures as points in a plane, coloured by their costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm
from matplotlib.ticker import FuncFormatter

from bonas.analysis.sources import Source, history_of, space_of
from bonas.plot.style import axes, star
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.encoding import Encoder
from spaces.space import Space

Rows = Float[np.ndarray, "n d"]


@dataclass(frozen=True)
class Projection:
    """Rows of features in a plane.

    Attributes:
        points: of each row.
        labels: of the two axes.
    """

    points: Float[np.ndarray, "n 2"]
    labels: tuple[str, str]


def principal_components(rows: Rows) -> Projection:
    """The two directions in which the rows differ most (Pearson 1901)."""
    centred = rows - rows.mean(axis=0)
    left, scales, right = np.linalg.svd(centred, full_matrices=False)
    # A direction and its opposite are the same: the largest weight is positive.
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
    """Rows that are near each other stay so (van der Maaten & Hinton 2008, scikit-learn's).

    Attributes:
        perplexity: about how many neighbours each row has.
        seed: of the optimisation.
    """

    perplexity: float = 30.0
    seed: int = 0

    def __call__(self, rows: Rows) -> Projection:
        """Projects; the axes have no unit."""
        from sklearn.manifold import TSNE as Embedding

        perplexity = min(self.perplexity, max(1.0, (len(rows) - 1) / 3))
        embedding = Embedding(  # type: ignore[no-untyped-call]
            2, perplexity=perplexity, init="pca", random_state=self.seed
        )
        return Projection(embedding.fit_transform(rows), ("t-SNE 1 (no unit)", "t-SNE 2 (no unit)"))


def embedding(
    space: Space,
    history: Source,
    ax: Axes | None = None,
    *,
    project: Callable[[Rows], Projection] = principal_components,
    label: str = "cost",
) -> Axes:
    """Draws each evaluated network where its features are, and marks the incumbent.

    Features are those of `spaces.encoding.Encoder`: choices, subgraphs (Weisfeiler-Lehman), paths.
    The cost of a network is the lowest one at its highest budget; each shade has as many.

    Args:
        space: of the architectures.
        history: of a search; or the search, or its directory.
        ax: where to draw; by default a new figure.
        project: brings features into the plane: `principal_components` or `TSNE()`.
        label: of the costs, with their unit if they have one.

    Returns:
        The axes.

    Raises:
        ValueError: fewer than three networks have a cost.
        TypeError: no space was given, or nothing that stands for a history.
        JournalError: the directory has no history, or it cannot be read.
    """
    space, history = space_of(space), history_of(history)
    found = networks(history)
    if len(found) < 3:
        raise ValueError(f"{len(found)} networks have a cost: 3 or more make a picture")
    rows = Encoder(space).encode([e.trial.configuration for e in found]).rows
    projection = project(rows)
    ax = axes(ax, 5.6, 4.4)
    # The best are drawn last, and so lie on top.
    order = sorted(range(len(found)), key=lambda place: -found[place].cost)
    x, y = projection.points[order].T
    costs = [found[place].cost for place in order]
    dots = ax.scatter(x, y, 22, costs, edgecolors="black", linewidths=0.3, **_shading(costs))
    if history.incumbent is not None:
        keys = [evaluation.trial.key for evaluation in found]
        best = keys.index(history.incumbent.trial.key)
        x, y = projection.points[best]
        star(ax, x, y, "incumbent")
    ax.set_xlabel(projection.labels[0])
    ax.set_ylabel(projection.labels[1])
    bar = ax.figure.colorbar(dots, ax=ax, label=label)
    bar.ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.3g}"))
    return ax


def _shading(costs: list[float]) -> dict[str, Any]:
    """A shade for each eighth of the networks: a few bad ones leave the others different."""
    levels = np.unique(np.quantile(costs, np.linspace(0, 1, 9)))
    if len(levels) < 2:
        return {"cmap": "cividis"}
    return {"cmap": "cividis", "norm": BoundaryNorm(levels.tolist(), 256)}


def networks(history: History) -> list[Evaluation]:
    """Of each network that succeeded, the lowest cost at its highest budget."""
    found: dict[str, Evaluation] = {}
    for evaluation in history.evaluations:
        known = found.get(evaluation.trial.key)
        if evaluation.succeeded and (known is None or _rank(evaluation) < _rank(known)):
            found[evaluation.trial.key] = evaluation
    return list(found.values())


def _rank(evaluation: Evaluation) -> tuple[float, float]:
    return -evaluation.trial.budget, evaluation.cost
