"""What an acquisition function makes of the candidates for the next evaluation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes

from bonas.acquisition.candidates import Candidates, Pool
from bonas.analysis.sources import Source, history_of, space_of
from bonas.plot.style import GRID, axes, star
from bonas.surrogates.observations import observations
from bonas.surrogates.transform import Floats, Transform, normal_scores
from spaces.encoding import Encoder
from spaces.space import Space

if TYPE_CHECKING:
    from torch import Tensor

    from bonas.acquisition.functions import Acquisition
    from bonas.surrogates.surrogate import Surrogate
    from fidelity.botorch import Model


def acquisition(
    space: Space,
    history: Source,
    rng: np.random.Generator,
    ax: Axes | None = None,
    *,
    surrogate: Surrogate | None = None,
    function: Acquisition | None = None,
    transform: Transform = normal_scores,
    candidates: Candidates | None = None,
) -> Axes:
    """Draws the value of each candidate against what is predicted of it; the star is the next.

    Where the best predictions are the highest, a search exploits; where the most uncertain ones
    are, which are the dark ones, it explores.

    Args:
        space: of the architectures.
        history: of a search; or the search, or its directory.
        rng: draws candidates.
        ax: where to draw; by default a new figure.
        surrogate: what predicts; by default the one of `BayesianOptimization`.
        function: values candidates; by default that of `BayesianOptimization`.
        transform: what is learned instead of costs; by default normal scores of their ranks, whose
            unit is a standard deviation.
        candidates: which there are.

    Returns:
        The axes.

    Raises:
        ValueError: there are fewer than two evaluations to learn from.
        TypeError: no space was given, or nothing that stands for a history.
        JournalError: the directory has no history, or it cannot be read.
    """
    import torch

    from bonas.acquisition.functions import LogKnowledgeGradient
    from bonas.surrogates.gaussian_process import GaussianProcess

    space, history = space_of(space), history_of(history)
    surrogate = surrogate or GaussianProcess()
    seen = observations(history, 5)
    if len(seen) < 2:
        raise ValueError(f"{len(seen)} evaluations are too few to learn from: search on")
    encoder = Encoder(space, 1, None, surrogate.reads_paths)
    pool = Pool(space, candidates or Candidates(), encoder)
    best = seen.best_first()
    unseen = list(pool.unseen(set(history.keys()), best, len(history.trials), rng).values())
    encoding = encoder.encode([*seen.configurations, *unseen])
    rows = torch.from_numpy(encoding.rows)
    n = len(seen)
    with torch.no_grad():
        targets = torch.from_numpy(transform(seen.costs))[:, None]
        model = surrogate.fit(rows[:n], targets, encoding.layout)
        costs, deviations = _predicted(model, rows[n:])
        chooser = function or LogKnowledgeGradient()
        scores = chooser.scores(model, rows[n:], rows[:n], int(rng.integers(2**31))).numpy()
    ax = axes(ax)
    _scatter(ax, costs, scores, deviations)
    unit = " (standard deviations of ranks)" if transform is normal_scores else ""
    ax.set_xlabel(f"predicted cost{unit}")
    ax.set_ylabel(f"value: {_words(type(chooser).__name__)}")
    return ax


def _predicted(model: Model, rows: Float[Tensor, "m d"]) -> tuple[Floats, Floats]:
    """The cost of each row and its standard deviation, in the unit of the targets."""
    posterior: Any = model.posterior(rows[:, None, :])
    variances = posterior.variance[:, 0, 0].clamp_min(0.0)
    return -posterior.mean[:, 0, 0].numpy(), variances.sqrt().numpy()


def _scatter(ax: Axes, costs: Floats, scores: Floats, deviations: Floats) -> None:
    """A dot for each candidate, and a star at the highest score."""
    dots = ax.scatter(costs, scores, 14, c=deviations, cmap="cividis_r", linewidths=0)
    chosen = int(np.nanargmax(scores))
    star(ax, costs[chosen], scores[chosen], "next")
    ax.figure.colorbar(dots, ax=ax, label="predicted standard deviation")
    ax.grid(alpha=GRID)


def _words(name: str) -> str:
    """LogExpectedImprovement as log expected improvement."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
