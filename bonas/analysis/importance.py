"""Which choices matter: permutation importance on a random forest.

Breiman 2001, "Random forests", section 10: shuffle one variable among evaluations that a forest
has not seen, and see how much worse it predicts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
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
from spaces.space import Space

PARTS = 5
"""So many forests are fitted, each without one part of the networks."""


@dataclass(frozen=True)
class Importance:
    """How much worse costs are predicted without knowing a variable.

    Attributes:
        mean: the growth of the mean squared error, as a share of the variance of the costs; about
            0 for what does not matter.
        error: the standard error of it over the shuffles.
    """

    mean: float
    error: float


def hyperparameter_importance(
    history: Source, rng: np.random.Generator, *, shuffles: int = 10
) -> dict[str, Importance]:
    """The importance of each hyperparameter of the space, of the evaluations of a search.

    A search looks more closely where costs are low, so that this is the importance there. Of
    variables that go together, as conditional ones do, each one takes a part.

    Args:
        history: of the search; or the search, or its directory.
        rng: divides and shuffles.
        shuffles: of each variable in each part.

    Returns:
        By name, in descending order.

    Raises:
        ValueError: there are fewer than 10 networks, or they all cost the same.
        TypeError: what was given stands for no history.
        JournalError: the directory has no history, or it cannot be read.
    """
    history = history_of(history)
    seen = _observed(history)
    vectors = [chosen.get_array() for chosen in seen.configurations]
    rows, groups = configuration_columns(history.space, vectors)
    columns = dict(zip(history.space, groups, strict=True))
    return _importances(seen, rows, columns, rng, shuffles)


def operation_importance(
    space: Space, history: Source, rng: np.random.Generator, *, shuffles: int = 10
) -> dict[str, Importance]:
    """The importance of how often each operation occurs in the canonical graph.

    Args, returns and errors are those of `hyperparameter_importance`; `space` is that of the
    architectures.
    """
    space = space_of(space)
    seen = _observed(history_of(history))
    counts = [
        Counter(str(node.operation) for node in space.architecture(c).canonical().nodes)
        for c in seen.configurations
    ]
    names = sorted({name for count in counts for name in count} - {INPUT, OUTPUT})
    rows = np.array([[float(count[name]) for name in names] for count in counts])
    columns = {name: slice(place, place + 1) for place, name in enumerate(names)}
    return _importances(seen, rows.reshape(len(counts), len(names)), columns, rng, shuffles)


def _observed(history: History) -> Observations:
    seen = observations(history, 2 * PARTS)
    networks = len(seen.networks())
    if networks < 2 * PARTS or len({*seen.costs}) < 2:
        raise ValueError(
            f"{networks} networks with {len({*seen.costs})} different costs do not say what "
            f"matters: evaluate {2 * PARTS} networks or more"
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
            told = forest.predictions(torch.from_numpy(tested)).mean(0).numpy()  # noqa: B023
            return float(((told - costs[part]) ** 2).sum())

        before = squares(rows[part])
        for name, places in columns.items():
            grown[name].append([])
            for _ in range(shuffles):
                shuffled = rows[part].copy()
                shuffled[:, places] = rng.permutation(shuffled[:, places])
                grown[name][-1].append(squares(shuffled) - before)
    found = {name: _summary(np.array(of).sum(axis=0) / _total(costs)) for name, of in grown.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1].mean))


def _total(costs: Sequence[float] | np.ndarray) -> float:
    return float(np.var(costs) * len(costs))


def _summary(shares: Float[np.ndarray, " shuffles"]) -> Importance:
    error = shares.std(ddof=1) / len(shares) ** 0.5 if len(shares) > 1 else 0.0
    return Importance(float(shares.mean()), float(error))
