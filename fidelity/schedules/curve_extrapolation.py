"""Extrapolation of learning curves: the cost at the end of a training, with its uncertainty.

Parametric families of curves, weighted by their evidence, as in Domhan,
Springenberg and Hutter (2015), "Speeding up automatic hyperparameter optimization of deep neural
networks by extrapolation of learning curves", IJCAI. Theirs are sampled with Markov chains. Here
each curve is `end + drop * shape(step)` with a shape from a grid, linear in `end` and `drop`, so
that the posterior is known in closed form: the same curve always gives the same prediction.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr

Curve = Sequence[tuple[float, float]]
"""Pairs (step, cost), steps as totals."""

Times = Float[np.ndarray, " points"]
Parts = Float[np.ndarray, " components"]

POINTS = 60
"""The most points of a curve in use, evenly spaced, the first and the last included."""

SMALLEST_UNIT = 1e-100
"""The smallest scale of costs; costs below it count as zeros, as their squares would be."""

LARGEST_COST = 1e300
"""The cap of costs, so that predictions are finite."""

NOISE = np.geomspace(0.002, 0.2, 7)
"""Standard deviations of the noise of a single cost, equally likely a priori.

This and the next are in units of the largest cost of the curve, often its first.
"""

LINE = ((0.3, 0.5), (0.7, 0.5))
"""The prior mean and standard deviation of the cost at the horizon, and of the drop from the first
cost to it. A smaller drop stops slow starters, under a warm-up for instance, more often than the
stated risk."""

DRIFT = 2.0
"""The variance over the whole horizon of a random walk of a curve around its shape, in units of the
noise's variance. It makes predictions far ahead less certain."""


@dataclass(frozen=True)
class Extrapolation:
    """A belief about a cost: a mixture of normal distributions.

    Attributes:
        weights: of the components; they sum to 1.
        means: of the components.
        deviations: their standard deviations.
    """

    weights: Parts
    means: Parts
    deviations: Parts

    @property
    def mean(self) -> float:
        """The expected cost."""
        return float(self.weights @ self.means)

    @property
    def deviation(self) -> float:
        """The standard deviation of the cost."""
        # Scaled, because the square of a huge cost is not finite.
        unit = float(max(self.deviations.max(), np.abs(self.means - self.mean).max())) or 1.0
        spread = (self.deviations / unit) ** 2 + ((self.means - self.mean) / unit) ** 2
        return unit * math.sqrt(float(self.weights @ spread))

    def probability_below(self, threshold: float) -> float:
        """Return the probability that the cost is below `threshold`.

        Raises:
            ValueError: the threshold is NaN.
        """
        if math.isnan(threshold):
            raise ValueError("the threshold is NaN: give a cost, which may be infinite")
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            z = (threshold - self.means) / self.deviations
        certain = np.where(self.means < threshold, 1.0, 0.0)
        return float(self.weights @ np.where(self.deviations > 0, ndtr(z), certain))


def extrapolate(curve: Curve, horizon: float) -> Extrapolation:
    """Return the belief about the cost at the step `horizon`.

    Args:
        curve: observed points in any order; of a repeated step the last one counts. Costs that
            are not finite, and steps that are not above 0, are ignored.
        horizon: a step, in the same units.

    Raises:
        ValueError: there is no finite cost, or a step is beyond the horizon.
    """
    observed = {step: cost for step, cost in curve if step > 0 and math.isfinite(cost)}
    if not observed:
        raise ValueError("the curve holds no finite cost at a step above 0: it needs at least 1")
    steps = np.array(sorted(observed), dtype=float)
    if steps[-1] > horizon:
        raise ValueError(
            f"the curve goes to step {steps[-1]:g}, beyond the horizon {horizon:g}: raise the "
            "horizon, or cut the curve"
        )
    costs = np.array([observed[step] for step in steps], dtype=float)
    if steps[-1] == horizon:
        return Extrapolation(np.ones(1), costs[-1:], np.zeros(1))
    if len(steps) > POINTS:
        used = np.linspace(0, len(steps) - 1, POINTS).round().astype(int)
        steps, costs = steps[used], costs[used]
    costs = costs.clip(-LARGEST_COST, LARGEST_COST)
    largest = float(abs(costs).max())
    unit = largest if largest > SMALLEST_UNIT else 1.0
    weights, means, variances = _predict(steps / horizon, costs / unit)
    return Extrapolation(weights, unit * means, unit * np.sqrt(variances))


def _families(times: Times) -> Float[np.ndarray, "shapes points"]:
    """Return all shapes at these shares of the horizon, up to level and scale."""
    return np.array(
        [
            *(times**-power for power in (0.15, 0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0)),
            *(np.exp(-times / scale) for scale in (0.05, 0.07, 0.1, 0.14, 0.2, 0.28, 0.4, 0.6)),
            *(-np.log(times + offset) for offset in (0.0, 0.01, 0.03, 0.1, 0.3, 1.0)),
            # With a learning rate that falls to 0, curves fall until the end, or fastest there.
            *(-(times**power) for power in (1.0, 2.0, 4.0)),
        ]
    )


def _shapes(times: Times) -> Float[np.ndarray, "shapes points"]:
    """Return all shapes, 1 at the first of these shares of the horizon and 0 at the horizon."""
    above = _families(times) - _families(np.ones(1))
    return np.asarray(above / above[:, :1])


def _predict(times: Times, costs: Float[np.ndarray, " points"]) -> tuple[Parts, Parts, Parts]:
    """Return weights, means and variances of the cost at time 1, one per noise and shape.

    The regression on a line per shape, with a random walk in its residuals, is Kriging with a
    trend (Rasmussen and Williams 2006, "Gaussian processes for machine learning", section 2.7),
    in which 2x2 matrices are inverted by hand, for speed.
    """
    covariance = np.eye(len(times)) + DRIFT * np.minimum.outer(times, times)
    whiten = np.linalg.inv(np.linalg.cholesky(covariance))
    ones, y, walk = whiten.sum(1), whiten @ costs, whiten @ (DRIFT * times)
    shapes = _shapes(times) @ whiten.T
    (end, end_sd), (drop, drop_sd) = LINE
    # The posterior of the line (end, drop): its precision, and precision times mean.
    s2 = NOISE[:, None] ** 2
    p11 = end_sd**-2 + ones @ ones / s2
    p12 = shapes @ ones / s2
    p22 = drop_sd**-2 + (shapes**2).sum(1) / s2
    r1 = end * end_sd**-2 + ones @ y / s2
    r2 = drop * drop_sd**-2 + shapes @ y / s2
    determinant = p11 * p22 - p12**2
    fit = (p22 * r1**2 - 2 * p12 * r1 * r2 + p11 * r2**2) / determinant
    evidence = -0.5 * (len(times) * np.log(s2) + np.log(determinant) + y @ y / s2 - fit)
    weights = np.exp(evidence - evidence.max())
    # At the horizon the shape is 0: what remains is the extrapolation of the last residuals.
    d1, d2 = 1 - walk @ ones, -(shapes @ walk)
    means = (d1 * (p22 * r1 - p12 * r2) + d2 * (p11 * r2 - p12 * r1)) / determinant + walk @ y
    line = (d1**2 * p22 - 2 * d1 * d2 * p12 + d2**2 * p11) / determinant
    variances = s2 * (1 + DRIFT - walk @ walk) + line
    return weights.ravel() / weights.sum(), means.ravel(), variances.ravel()
