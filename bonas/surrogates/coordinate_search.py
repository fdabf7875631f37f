"""A coordinate-wise search over a small grid for the hyperparameters of a kernel.

It takes milliseconds, needs no gradients and cannot fail.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from jaxtyping import Float
from torch import Tensor

from bonas.surrogates.kernel import Hyperparameters, Tabulated, log_evidence

LENGTHSCALES = (0.5, 0.8, 1.2, 2.0, 3.5, 6.0)
NOISES = (1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1)
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True)
class Score:
    """The log marginal likelihood plus weak priors, computed once per hyperparameters.

    Attributes:
        distances: between the observed rows.
        targets: the observations.
        basis: of the mean, see `log_evidence`.
    """

    distances: Tabulated
    targets: Float[Tensor, " n"]
    basis: Float[Tensor, "n p"] | None
    _scores: dict[Hyperparameters, float] = field(init=False, default_factory=dict)

    def __call__(self, hyperparameters: Hyperparameters) -> float:
        """Return the score of hyperparameters."""
        if hyperparameters not in self._scores:
            evidence = log_evidence(self.distances, self.targets, hyperparameters, self.basis)
            self._scores[hyperparameters] = evidence + _log_prior(hyperparameters)
        return self._scores[hyperparameters]


def sweep(start: Hyperparameters, score: Callable[[Hyperparameters], float]) -> Hyperparameters:
    """Return the hyperparameters with each coordinate in turn at its best value, the others fixed.

    Args:
        start: the first hyperparameters.
        score: of hyperparameters, the higher the better.
    """
    best = start
    for index in range(len(start.lengthscales)):
        best = max([best, *_lengthscales(best, index)], key=score)
    if len(start.weights) > 1:
        for index in range(len(start.weights)):
            best = max([best, *_weights(best, index)], key=score)
    return max([best, *(replace(best, noise=noise) for noise in NOISES)], key=score)


def _lengthscales(best: Hyperparameters, index: int) -> Iterator[Hyperparameters]:
    for value in LENGTHSCALES:
        values = list(best.lengthscales)
        values[index] = value
        yield replace(best, lengthscales=tuple(values))


def _weights(best: Hyperparameters, index: int) -> Iterator[Hyperparameters]:
    """Yield other shares of the view at `index`; the other views keep their proportions."""
    rest = 1.0 - best.weights[index]
    others = len(best.weights) - 1
    for share in SHARES:
        values = [
            (1 - share) * (weight / rest if rest > 1e-9 else 1 / others) for weight in best.weights
        ]
        values[index] = share
        yield replace(best, weights=tuple(values))


def _log_prior(hyperparameters: Hyperparameters) -> float:
    """Return weak log-normal priors, so that few observations do not choose an extreme."""
    lengthscales = sum(math.log(value / 1.2) ** 2 for value in hyperparameters.lengthscales)
    return -0.5 * lengthscales - 0.5 * (math.log(hyperparameters.noise / 1e-2) / 2.5) ** 2
