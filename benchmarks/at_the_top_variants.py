"""Variants of the default surrogate and its targets, for `at_the_top.py`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bonas.surrogates.coordinate_search import LENGTHSCALES, NOISES, SHARES
from bonas.surrogates.gaussian_process import GaussianProcess, GaussianProcessModel
from bonas.surrogates.kernel import Hyperparameters, log_evidence, squared_distances
from bonas.surrogates.surrogate import Surrogate
from bonas.surrogates.transform import Transform, balanced_scores, negative, normal_scores
from spaces.encoding import Layout

Floats = NDArray[np.float64]

MIN_REPEATS = 3
"""Repeats of networks from which the noise is estimated."""


@dataclass(frozen=True)
class Tuned:
    """The default Gaussian process with another grid or another prior of its hyperparameters.

    Attributes:
        process: that is fitted; two views.
        noises: the grid of the noise.
        shares: the grid of the weight of the first view.
        share_prior: the strength of a prior that pulls the weights towards equal
            ones; 0 is none.
        noise_prior: the strength of the prior that pulls the noise towards 0.01; 1 is the default.
    """

    process: GaussianProcess = field(default_factory=GaussianProcess)
    noises: tuple[float, ...] = NOISES
    shares: tuple[float, ...] = SHARES
    share_prior: float = 0.0
    noise_prior: float = 1.0
    reads_paths: bool = False

    def tuned(self, inputs: Tensor, targets: Tensor, layout: Layout) -> Tuned:
        """See `Tunable.tuned`: coordinate-wise, as the default."""
        inputs, values = inputs.to(torch.float64), targets[:, 0].to(torch.float64)
        values = (values - values.mean()) / values.std(correction=0).clamp_min(1e-12)
        distances = squared_distances(self.process.views, inputs, inputs, layout)
        scores: dict[Hyperparameters, float] = {}

        def score(one: Hyperparameters) -> float:
            if one not in scores:
                scores[one] = log_evidence(distances, values, one) + self._log_prior(one)
            return scores[one]

        share = 0.5 if 0.5 in self.shares else self.shares[0]
        best = Hyperparameters((1.2, 1.2), (share, 1 - share), max(1e-2, self.noises[0]))
        for _ in range(self.process.sweeps):
            for index in range(2):
                best = max([best, *_lengthscales(best, index)], key=score)
            best = max([best, *(_weighted(best, share) for share in self.shares)], key=score)
            best = max([best, *(replace(best, noise=noise) for noise in self.noises)], key=score)
        return replace(self, process=replace(self.process, hyperparameters=best))

    def _log_prior(self, one: Hyperparameters) -> float:
        lengthscales = sum(math.log(value / 1.2) ** 2 for value in one.lengthscales)
        noise = (math.log(one.noise / 1e-2) / 2.5) ** 2
        share = (2 * one.weights[0] - 1) ** 2
        return -0.5 * (lengthscales + self.noise_prior * noise + self.share_prior * share)

    def fit(self, inputs: Tensor, targets: Tensor, layout: Layout) -> GaussianProcessModel:
        """See `Surrogate.fit`."""
        tuned = self if self.process.hyperparameters else self.tuned(inputs, targets, layout)
        return tuned.process.fit(inputs, targets, layout)


def _lengthscales(best: Hyperparameters, index: int) -> Iterator[Hyperparameters]:
    for value in LENGTHSCALES:
        values = list(best.lengthscales)
        values[index] = value
        yield replace(best, lengthscales=tuple(values))


def _weighted(best: Hyperparameters, share: float) -> Hyperparameters:
    return replace(best, weights=(share, 1 - share))


@dataclass(frozen=True)
class NoiseOfRepeats:
    """The default Gaussian process with the noise that repeats of a network show, if any do.

    Attributes:
        process: that is fitted.
    """

    process: GaussianProcess = field(default_factory=GaussianProcess)
    reads_paths: bool = False

    def tuned(self, inputs: Tensor, targets: Tensor, layout: Layout) -> NoiseOfRepeats:
        """See `Tunable.tuned`."""
        return replace(self, process=self.process.tuned(inputs, targets, layout))

    def fit(self, inputs: Tensor, targets: Tensor, layout: Layout) -> GaussianProcessModel:
        """See `Surrogate.fit`."""
        tuned = self if self.process.hyperparameters else self.tuned(inputs, targets, layout)
        process = tuned.process
        assert process.hyperparameters is not None
        noise = self._noise(inputs, targets) or process.hyperparameters.noise
        hyperparameters = replace(process.hyperparameters, noise=noise)
        return replace(process, hyperparameters=hyperparameters).fit(inputs, targets, layout)

    def _noise(self, inputs: Tensor, targets: Tensor) -> float | None:
        """Return the pooled variance within networks as a share of that of all targets."""
        _, member = torch.unique(inputs, dim=0, return_inverse=True)
        counts = torch.bincount(member).to(targets)
        freedom = float((counts - 1).sum())
        if freedom < MIN_REPEATS:
            return None
        values = targets[:, 0]
        means = torch.zeros_like(counts).index_add_(0, member, values) / counts
        within = float((values - means[member]).square().sum()) / freedom
        return min(max(within / max(float(values.var()), 1e-12), NOISES[0]), NOISES[-1])


@dataclass(frozen=True)
class Best:
    """A surrogate fitted to the best part of the observations: a local model.

    Attributes:
        surrogate: that is fitted.
        share: of the observations, the best ones.
        least: observations, where there are that many.
    """

    surrogate: GaussianProcess = field(default_factory=GaussianProcess)
    share: float = 0.5
    least: int = 20
    reads_paths: bool = False

    def tuned(self, inputs: Tensor, targets: Tensor, layout: Layout) -> Best:
        """See `Tunable.tuned`."""
        rows = self._rows(targets)
        return replace(self, surrogate=self.surrogate.tuned(inputs[rows], targets[rows], layout))

    def fit(self, inputs: Tensor, targets: Tensor, layout: Layout) -> GaussianProcessModel:
        """See `Surrogate.fit`."""
        rows = self._rows(targets)
        return self.surrogate.fit(inputs[rows], targets[rows], layout)

    def _rows(self, targets: Tensor) -> Tensor:
        count = min(len(targets), max(self.least, round(self.share * len(targets))))
        best = targets[:, 0].argsort(descending=True, stable=True)[:count]
        return best.sort().values


def log_regret(costs: Floats) -> Floats:
    """Return minus the logarithm of the distance to the best cost, with a tenth of the quartiles'.

    Without the offset the best observation alone would be infinitely good.
    """
    low, high = np.quantile(costs, [0.25, 0.75])
    offset = max(0.1 * float(high - low), 1e-9)
    return np.asarray(-np.log(costs - costs.min() + offset))


def exponential_scores(costs: Floats) -> Floats:
    """Return the scores of Savage (1956), which stretch the best ranks and compress the others."""
    _, indices, counts = np.unique(costs, return_inverse=True, return_counts=True)
    ranks = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(-np.log(ranks[indices] / (len(costs) + 1.0)))


def log_costs(costs: Floats) -> Floats:
    """Return minus the logarithms of the costs, which are positive here."""
    return np.asarray(-np.log(costs))


def clipped(costs: Floats) -> Floats:
    """Return minus the costs, those above the median replaced by it."""
    return np.asarray(-np.minimum(costs, np.median(costs)))


@dataclass(frozen=True)
class Variant:
    """A surrogate and the targets that it is fitted to."""

    surrogate: Surrogate = field(default_factory=GaussianProcess)
    transform: Transform = normal_scores


VARIANTS: Mapping[str, Variant] = {
    "default": Variant(),
    "noise at least 0.01": Variant(Tuned(noises=NOISES[2:])),
    "noise at least 0.03": Variant(Tuned(noises=NOISES[3:])),
    "noise at least 0.1": Variant(Tuned(noises=NOISES[4:])),
    "noise of repeats": Variant(NoiseOfRepeats()),
    "equal weights": Variant(Tuned(shares=(0.5,))),
    "weights with a prior": Variant(Tuned(share_prior=4.0)),
    "raw costs": Variant(transform=negative),
    "balanced scores": Variant(transform=balanced_scores),
    "logarithms of costs": Variant(transform=log_costs),
    "log regret": Variant(transform=log_regret),
    "exponential scores": Variant(transform=exponential_scores),
    "clipped at the median": Variant(transform=clipped),
    "best half alone": Variant(Best()),
    "balanced scores, noise at least 0.01": Variant(Tuned(noises=NOISES[2:]), balanced_scores),
}
