"""Permutation importance of hyperparameters and operations, by a random forest.

Breiman 2001, "Random forests", section 10: shuffle one variable among held-out evaluations, and
measure how much the prediction error grows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bonas.analysis.cross_validation import folds
from bonas.analysis.sources import Source, history_of, space_of
from bonas.surrogates.observations import Observations, observations
from bonas.surrogates.transform import tamed
from fidelity.history.history import History
from spaces.architecture.labels import INPUT, OUTPUT
from spaces.encoding import Layout, configuration_columns
from spaces.space import Space, require

PARTS = 5
"""The number of forests, each fitted without one part of the networks."""


@dataclass(frozen=True)
class Importance:
    """The growth of the prediction error when a variable is shuffled.

    Attributes:
        mean: of the squared error, as a share of the variance of the costs; about 0 for a variable
            that does not matter.
        error: the standard error of the mean over the shuffles.
    """

    mean: float
    error: float

    def __repr__(self) -> str:
        return f"Importance({self.mean:.3g} ± {self.error:.1g})"


def hyperparameter_importance(
    history: Source, rng: np.random.Generator, *, shuffles: int = 10
) -> dict[str, Importance]:
    """Return the importance of each hyperparameter.

    A search samples regions of low cost more densely, so the importance applies there. Correlated
    variables, such as conditional ones, share their importance.

    Args:
        history: of a search; or the search, or its directory.
        rng: divides the networks and shuffles.
        shuffles: the number of shuffles of each variable in each part.

    Returns:
        The importance by name, in descending order.

    Raises:
        ValueError: there are fewer than 10 networks, or all have the same cost.
        TypeError, JournalError: `history` has no readable history.
    """
    history = history_of(history)
    seen = _observed(history)
    vectors = [configuration.get_array() for configuration in seen.configurations]
    rows, groups = configuration_columns(history.space, vectors)
    columns = dict(zip(history.space, groups, strict=True))
    return _importances(seen, rows, columns, rng, shuffles)


def operation_importance(
    space: Space, history: Source, rng: np.random.Generator, *, shuffles: int = 10
) -> dict[str, Importance]:
    """Return the importance of the number of times each operation occurs in the canonical graph.

    Args:
        space: of the architectures.
        history: of a search; or the search, or its directory.
        rng: divides the networks and shuffles.
        shuffles: the number of shuffles of each operation in each part.

    See `hyperparameter_importance` for what it returns and raises.
    """
    space = space_of(space)
    require(space, "architecture", "to count operations")
    seen = _observed(history_of(history))
    counts = [
        Counter(str(node.operation) for node in space.architecture(c).canonical().nodes)
        for c in seen.configurations
    ]
    names = sorted({name for count in counts for name in count} - {INPUT, OUTPUT})
    rows = np.array([[float(count[name]) for name in names] for count in counts])
    columns = {name: slice(index, index + 1) for index, name in enumerate(names)}
    return _importances(seen, rows.reshape(len(counts), len(names)), columns, rng, shuffles)


def _observed(history: History) -> Observations:
    seen = observations(history, 2 * PARTS)
    networks = len(seen.networks())
    if networks < 2 * PARTS or len({*seen.costs}) < 2:
        raise ValueError(
            f"{networks} networks with {len({*seen.costs})} different costs are too few to measure "
            f"importance: evaluate {2 * PARTS} networks or more, of at least 2 different costs"
        )
    return seen


def _importances(
    seen: Observations,
    rows: Float[np.ndarray, "n d"],
    columns: Mapping[str, slice],
    rng: np.random.Generator,
    shuffles: int,
) -> dict[str, Importance]:
    import torch

    from bonas.surrogates.forest import RandomForest

    layout = Layout(tuple(columns.values()), (), slice(rows.shape[1], rows.shape[1]))
    costs = tamed(seen.costs)
    grown: dict[str, list[list[float]]] = {name: [] for name in columns}
    for part in folds([e.trial.key for e in seen.evaluations], PARTS, rng):
        inputs, targets = torch.from_numpy(rows[~part]), torch.from_numpy(costs[~part])[:, None]
        forest = RandomForest().fit(inputs, targets, layout)

        def squares(tested: Float[np.ndarray, "m d"], part: np.ndarray = part) -> float:
            means = forest.predictions(torch.from_numpy(tested)).mean(0).numpy()  # noqa: B023
            return float(((means - costs[part]) ** 2).sum())

        before = squares(rows[part])
        for name, column in columns.items():
            grown[name].append([])
            for _ in range(shuffles):
                shuffled = rows[part].copy()
                shuffled[:, column] = rng.permutation(shuffled[:, column])
                grown[name][-1].append(squares(shuffled) - before)
    total = float(np.var(costs) * len(costs))
    summaries = {name: _summary(np.array(of).sum(axis=0) / total) for name, of in grown.items()}
    return dict(sorted(summaries.items(), key=lambda item: -item[1].mean))


def _summary(shares: Float[np.ndarray, " shuffles"]) -> Importance:
    error = shares.std(ddof=1) / len(shares) ** 0.5 if len(shares) > 1 else 0.0
    return Importance(float(shares.mean()), float(error))
