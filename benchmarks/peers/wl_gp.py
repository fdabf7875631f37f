"""A Gaussian process with a Weisfeiler-Lehman kernel on 200 candidates.

Ru, Wan, Dong and Osborne 2021, "Interpretable neural architecture search via Bayesian optimisation
with Weisfeiler-Lehman kernels" (NAS-BOWL): the kernel is the inner product of normalised label
histograms; depth, noise and scale by marginal likelihood; expected improvement over a pool of which
one half is random and the other half mutations of the best networks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.stats import norm

from peers.features import Floats, Places, features, places
from peers.peer import Choice, FlatSpace, Seen, draw, mutate

NOISES = np.geomspace(1e-3, 3, 15)
"""Variances of the noise, relative to that of the process."""


@dataclass(frozen=True)
class WLGP:
    """NAS-BOWL, one network at a time.

    Attributes:
        initial: how many random networks come first.
        pool: how many candidates are drawn.
        parents: how many of the best are mutated.
    """

    initial: int = 10
    pool: int = 200
    parents: int = 10

    def start(self, flat: FlatSpace, seed: int) -> WLGPSession:
        """See `Peer.start`."""
        return WLGPSession(self, flat, np.random.default_rng([seed, 0]))


@dataclass
class WLGPSession:
    """See `Session`."""

    settings: WLGP
    flat: FlatSpace
    rng: np.random.Generator
    seen: Seen = field(default_factory=Seen)

    def ask(self) -> Choice:
        """The candidate with the highest expected improvement."""
        if len(self.seen.costs) < self.settings.initial:
            return draw(self.flat, self.rng)
        best = self.seen.best_first(self.settings.parents)
        half = self.settings.pool // 2
        drawn = [draw(self.flat, self.rng) for _ in range(half)]
        drawn += [mutate(self.flat, best[i % len(best)], self.rng) for i in range(half)]
        pool = self.seen.unseen(drawn)
        costs = np.array(self.seen.costs)
        targets = (costs - costs.mean()) / max(costs.std(), 1e-9)
        labels = features(self.flat).labels
        seen, new = places(self.flat, self.seen.choices), places(self.flat, pool)
        mean, deviation = predict(labels, seen, targets, new)
        gain = targets.min() - mean
        scaled = gain / deviation
        return pool[int(np.argmax(gain * norm.cdf(scaled) + deviation * norm.pdf(scaled)))]

    def tell(self, choice: Choice, cost: float) -> None:
        """One more observation."""
        self.seen.add(choice, cost)


def predict(
    labels: tuple[Floats, ...], seen: Places, targets: Floats, pool: Places
) -> tuple[Floats, Floats]:
    """The posterior of the process at `pool`.

    Args:
        labels: of all networks, for each depth: see `Features`.
        seen: the places of the n observed networks.
        targets: their standardised costs.
        pool: the places of the m candidates.

    Returns:
        Means and standard deviations, without the noise of an observation.
    """
    fits = [_fit(rows[seen], targets) for rows in labels]
    depth = int(np.argmax([fit[0] for fit in fits]))
    _, scale, noise, values, vectors = fits[depth]
    rows = labels[depth]
    cross = rows[pool] @ rows[seen].T @ vectors
    mean = cross @ ((vectors.T @ targets) / (values + noise))
    variance = 1.0 - (cross**2 / (values + noise)).sum(1)
    return mean, np.sqrt(scale * np.maximum(variance, 1e-9))


def _fit(rows: Floats, targets: Floats) -> tuple[float, float, float, Floats, Floats]:
    """Log marginal likelihood, scale and relative noise at the best noise; the decomposition."""
    values, vectors = np.linalg.eigh(rows @ rows.T)
    values = np.maximum(values, 0.0)
    spectrum = values + NOISES[:, None]
    scales = ((vectors.T @ targets) ** 2 / spectrum).mean(1)
    likelihoods = -0.5 * (len(targets) * np.log(scales) + np.log(spectrum).sum(1))
    best = int(np.argmax(likelihoods))
    return float(likelihoods[best]), float(scales[best]), float(NOISES[best]), values, vectors
