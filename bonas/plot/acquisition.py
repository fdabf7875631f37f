"""The acquisition function over the candidates for the next evaluation."""

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
    """Draw the acquisition value of each candidate against its predicted cost.

    The star marks the highest value. A search exploits if low predicted costs have the highest
    values, and explores if uncertain predictions (dark) have them.

    Args:
        space: of the architectures.
        history: of a search; or the search, or its directory.
        rng: draws candidates.
        ax: the axes; by default a new figure.
        surrogate: by default that of `BayesianOptimization`.
        function: the acquisition function; by default that of `BayesianOptimization`.
        transform: gives the transformed costs that the surrogate is fitted to; by default normal
            scores of their ranks, in standard deviations.
        candidates: generates the candidates.

    Raises:
        ValueError: there are fewer than two evaluations.
        TypeError: `space` is no space, or `history` has no history.
        JournalError: the directory holds no history, or the history cannot be read.
    """
    import torch

    from bonas.acquisition.functions import LogKnowledgeGradient
    from bonas.surrogates.gaussian_process import GaussianProcess

    space, history = space_of(space), history_of(history)
    surrogate = surrogate or GaussianProcess()
    seen = observations(history, 5)
    if (n := len(seen)) < 2:
        raise ValueError(f"{n} evaluations are too few to fit a surrogate: evaluate 2 or more")
    encoder = Encoder(space, 1, None, surrogate.reads_paths)
    pool = Pool(space, candidates or Candidates(), encoder)
    evaluated, trials = set(history.keys()), len(history.trials)
    unseen = list(pool.unseen(evaluated, seen.best_first(), trials, rng).values())
    encoding = encoder.encode([*seen.configurations, *unseen])
    rows = torch.from_numpy(encoding.rows)
    with torch.no_grad():
        targets = torch.from_numpy(transform(seen.costs))[:, None]
        model = surrogate.fit(rows[:n], targets, encoding.layout)
        costs, deviations = _predicted(model, rows[n:])
        function = function or LogKnowledgeGradient()
        scores = function.scores(model, rows[n:], rows[:n], int(rng.integers(2**31))).numpy()
    ax = axes(ax)
    _scatter(ax, costs, scores, deviations)
    unit = " (standard deviations of ranks)" if transform is normal_scores else ""
    ax.set_xlabel(f"predicted {history.goal.measure.name}{unit}")
    ax.set_ylabel(_words(type(function).__name__))
    return ax


def _predicted(model: Model, rows: Float[Tensor, "m d"]) -> tuple[Floats, Floats]:
    """Return the predicted cost of each row and its standard deviation, in units of the targets."""
    posterior: Any = model.posterior(rows[:, None, :])
    variances = posterior.variance[:, 0, 0].clamp_min(0.0)
    return -posterior.mean[:, 0, 0].numpy(), variances.sqrt().numpy()


def _scatter(ax: Axes, costs: Floats, scores: Floats, deviations: Floats) -> None:
    """Draw a dot for each candidate, and a star at the highest score."""
    dots = ax.scatter(costs, scores, 14, c=deviations, cmap="cividis_r", linewidths=0)
    best = int(np.nanargmax(scores))
    star(ax, costs[best], scores[best], "next evaluation")
    ax.figure.colorbar(dots, ax=ax, label="predicted standard deviation")
    ax.grid(alpha=GRID)


def _words(name: str) -> str:
    """Return the words of a class name: LogExpectedImprovement is 'log expected improvement'."""
    return "".join(f" {c.lower()}" if c.isupper() else c for c in name).strip()
