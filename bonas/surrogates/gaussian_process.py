"""An exact Gaussian process as a BoTorch model, with hyperparameters by marginal likelihood.

A BoTorch fit by gradients takes a second or two at 200 observations; a coordinate-wise search over
a small grid takes milliseconds, needs no gradients and cannot fail.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bonas.surrogates.budget_grid import GridPosterior, grid
from bonas.surrogates.coordinate_search import Score, sweep
from bonas.surrogates.family_scales import ScaledViews
from bonas.surrogates.kernel import (
    ConfigurationView,
    FeatureView,
    GraphView,
    Hyperparameters,
    PathView,
    View,
    along_budget,
    covariance,
    log_evidence,
    noisy,
    squared_distances,
)
from fidelity.botorch import (
    FantasizeMixin,
    GPyTorchPosterior,
    Model,
    MultivariateNormal,
    Posterior,
    PosteriorTransform,
)
from spaces.encoding import Layout

TRENDS = (1.0, 0.3, 3.0)
"""Standard deviations of the slope along the trend, in those of the kernel, the default first."""
SLOPE = 0.5
"""The expected slope along the trend, in standard deviations of the targets: the correlation with
the targets that a useful prediction has."""
BUDGETS = (0.3, 1.0, 3.0, 10.0, 30.0)
"""Lengthscales along the budget, which ranges from 0 to 1: the correlation of its ends is between
0.04 and 0.97."""
FAMILY_EVIDENCE = 2.0
"""How much higher the logarithm of the posterior density has to be with scales of families than
without: a ratio of 7. Where families mean nothing, such as the nodes of a cell in any order, it is
up to 1.4 higher; after 12 networks of HW-GPT-Bench it is 2 to 3 higher, after 50 it is 23."""

Index = slice | list[int]


@dataclass(frozen=True)
class GaussianProcess:
    """A Gaussian process whose kernel is a weighted sum over views.

    Over architecture and budget (`layout.budget`) it is one process of both: the kernel is a
    product with one of the budget (as in Klein et al. 2017, "Fast Bayesian optimization of
    machine learning hyperparameters on large datasets"), the mean a straight line along it.

    The mean contains a prediction of the targets (`layout.trend`) times a slope with a normal prior
    around `SLOPE`; the evidence chooses its deviation, and then the slope.

    Attributes:
        views: of the kernel.
        hyperparameters: of the kernel; None tunes them at each fit.
        sweeps: passes of the tuning over all coordinates.
        tuned_on: the maximal number of observations for the tuning, evenly spread over their
            order.
        most: the maximal number of observations of the posterior, whose time is cubic in it:
            one half the best ones, the rest evenly spread over the others.
    """

    views: tuple[View, ...] = (ConfigurationView(), GraphView(1))
    hyperparameters: Hyperparameters | None = None
    sweeps: int = 2
    tuned_on: int = 200
    most: int = 600

    @property
    def reads_paths(self) -> bool:
        """See `Surrogate.reads_paths`: it does if one of its views does."""
        return any(isinstance(view, PathView) for view in self.views)

    @property
    def reads_graphs(self) -> bool:
        """See `ReadsGraphs`: not if the tuning gave all views of graphs a weight of 0."""
        tuned = self.hyperparameters
        weights = (1.0,) * len(self.views) if tuned is None else tuned.weights
        pairs = zip(self.views, weights, strict=True)
        return any(
            weight > 0 and not isinstance(view, ConfigurationView | FeatureView)
            for view, weight in pairs
        )

    def tuned(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"], layout: Layout
    ) -> GaussianProcess:
        """See `Tunable.tuned`: maximises the log marginal likelihood plus weak priors on a grid."""
        if len(targets) > self.tuned_on:
            rows = _spread(len(targets), self.tuned_on)
            inputs, targets = inputs[rows], targets[rows]
        inputs, values = inputs.to(torch.float64), targets[:, 0].to(torch.float64)
        values = values - values.mean()
        values = values / _scale(values)
        # The slope along the budget may depend on the first observation at the highest one, of a
        # good network: a slope fixed to it would suggest that budgets have little in common.
        basis = None if layout.budget is None else _basis(inputs, layout)
        if layout.trend is not None:
            values = values - SLOPE * _trend(inputs, layout)
            values = values - values.mean()
        plain = ScaledViews(self.views, inputs, layout)
        tuned, score = self._tuned(plain, values, basis)
        if layout.families and (families := plain.with_families()) is not None:
            other, value = self._tuned(families, values, basis)
            tuned = other if value > score + FAMILY_EVIDENCE else tuned
        return tuned

    def _tuned(
        self,
        scaled: ScaledViews,
        targets: Float[Tensor, " n"],
        basis: Float[Tensor, "n p"] | None,
    ) -> tuple[GaussianProcess, float]:
        """Return the process with tuned hyperparameters and scales, and their score."""
        layout, count = scaled.layout, len(scaled.views)
        best = Hyperparameters((1.2,) * count, (1.0 / count,) * count, 1e-2)
        if layout.trend is not None:
            best = replace(best, trend=TRENDS[0])
        for _ in range(self.sweeps):
            score = Score(scaled.distances, targets, basis)
            best = sweep(best, score)
            if layout.trend is not None:
                best = max([best, *(replace(best, trend=value) for value in TRENDS)], key=score)
            if layout.budget is not None:
                best = max([best, *(replace(best, budget=value) for value in BUDGETS)], key=score)
            scaled = scaled.tuned(
                partial(log_evidence, targets=targets, hyperparameters=best, basis=basis)
            )
        value = Score(scaled.distances, targets, basis)(best) + scaled.log_prior
        return replace(self, views=scaled.views, hyperparameters=best), value

    def fit(
        self, inputs: Float[Tensor, "n d"], targets: Float[Tensor, "n 1"], layout: Layout
    ) -> GaussianProcessModel:
        """See `Surrogate.fit`; computes in float64."""
        tuned = self if self.hyperparameters else self.tuned(inputs, targets, layout)
        assert tuned.hyperparameters is not None
        inputs, targets = inputs.to(torch.float64), targets.to(torch.float64)
        scale = _scale(targets[:, 0])
        if len(targets) > self.most:
            order = targets[:, 0].argsort(descending=True, stable=True)
            best, others = order[: self.most // 2], order[self.most // 2 :].sort().values
            rows = torch.cat([best, others[_spread(len(others), self.most - len(best))]])
            inputs, targets = inputs[rows], targets[rows]
        return GaussianProcessModel(
            tuned.views, tuned.hyperparameters, layout, inputs, targets, scale
        )


def _basis(inputs: Float[Tensor, "*batch n d"], layout: Layout) -> Float[Tensor, "*batch n p"]:
    """Return the basis of the mean: a constant, and the budget where there is one."""
    ones = torch.ones_like(inputs[..., :1])
    return ones if layout.budget is None else torch.cat([ones, inputs[..., layout.budget]], -1)


def _distinct(rows: Float[Tensor, "*batch n d"]) -> tuple[Index, Index]:
    """Return the index of one row of each group of equal ones, and the group of each row."""
    every = slice(None), slice(None)
    if rows.ndim > 2 or rows.requires_grad:
        return every
    keys = [row.tobytes() for row in rows.cpu().numpy()]
    members = {key: index for index, key in enumerate(keys)}
    groups = {key: group for group, key in enumerate(members)}
    if len(members) == len(keys):
        return every
    return list(members.values()), [groups[key] for key in keys]


def _trend(inputs: Float[Tensor, "*batch n d"], layout: Layout) -> Float[Tensor, "*batch n"]:
    """Return the trend of each row; 0 where there is none."""
    if layout.trend is None:
        return torch.zeros_like(inputs[..., 0])
    return inputs[..., layout.trend].sum(-1)


def _spread(size: int, count: int) -> Tensor:
    """Return `count` indices, evenly spread over 0..`size` - 1."""
    return torch.linspace(0, size - 1, count).round().long()


def _scale(values: Float[Tensor, " n"]) -> float:
    """Return the standard deviation, or 1 where all values are equal."""
    scale = float(values.std(correction=0))
    return scale if scale > 1e-12 * (1 + float(values.abs().max())) else 1.0


class GaussianProcessModel(Model, FantasizeMixin):
    """A fitted Gaussian process: a BoTorch model with one output.

    Args:
        views: of the kernel.
        hyperparameters: of the kernel.
        layout: of the inputs' columns.
        inputs: the observed rows; leading dimensions are batches of models.
        targets: the observations.
        scale: of the targets, in their own unit.
    """

    def __init__(
        self,
        views: Sequence[View],
        hyperparameters: Hyperparameters,
        layout: Layout,
        inputs: Float[Tensor, "*batch n d"],
        targets: Float[Tensor, "*batch n 1"],
        scale: float,
    ) -> None:
        super().__init__()
        self.views = tuple(views)
        self.hyperparameters = hyperparameters
        self.layout = layout
        self.inputs = inputs
        self.targets = targets
        self.scale = scale
        self._architectures = inputs if layout.budget is None else inputs[..., :-1]
        self._networks = _distinct(self._architectures)
        gram = noisy(self._covariance_with(inputs), hyperparameters.noise)
        self.factor = torch.linalg.cholesky(gram)
        basis = _basis(inputs, layout)
        # The mean by generalised least squares (Rasmussen and Williams 2006, 2.7); the ridge
        # makes the system regular with a single budget.
        weighted = torch.cholesky_solve(basis, self.factor).transpose(-1, -2)
        expected = SLOPE * scale * _trend(inputs, layout)[..., None]
        self.line = torch.linalg.solve(
            noisy(weighted @ basis, 1e-9), weighted @ (targets - expected)
        )
        centred = targets - expected - basis @ self.line
        self.residual = torch.cholesky_solve(centred, self.factor)
        white = (centred * self.residual).sum((-2, -1)) / targets.shape[-2]
        # Shrunk towards the targets' own variance, which counts as two observations.
        n = targets.shape[-2]
        self.variance = (n * white + 2 * scale**2) / (n + 2)

    @property
    def num_outputs(self) -> int:
        """The number of outputs: one."""
        return 1

    @property
    def batch_shape(self) -> torch.Size:
        """The shape of batches of models, which fantasies make."""
        return self.inputs.shape[:-2]

    @property
    def train_inputs(self) -> tuple[Tensor, ...]:
        """The observed rows."""
        return (self.inputs,)

    def _similarity(self, rows: Float[Tensor, "*batch m d"]) -> Float[Tensor, "*batch n m"]:
        """Return the covariance of the observed architectures with others, whatever their budgets.

        It is computed once for an architecture that was observed several times.
        """
        members, groups = self._networks
        observed, layout = self._architectures[members], replace(self.layout, budget=None)
        distances = squared_distances(self.views, observed, rows, layout)
        return covariance(distances, self.hyperparameters)[groups]

    def _covariance_with(self, X: Float[Tensor, "*batch m d"]) -> Float[Tensor, "*batch n m"]:
        """Return the covariance of the observed rows with others."""
        if self.layout.budget is None:
            return self._similarity(X)
        steps = (self.inputs[..., -1:] - X[..., -1:].transpose(-1, -2)).square()
        along = along_budget(steps, self.hyperparameters.budget)
        return self._similarity(X[..., :-1]) * along

    def _covariance(
        self, a: Float[Tensor, "*batch n d"], b: Float[Tensor, "*batch m d"]
    ) -> Float[Tensor, "*batch n m"]:
        distances = squared_distances(self.views, a, b, self.layout)
        return covariance(distances, self.hyperparameters)

    def posterior(  # type: ignore[override]
        self,
        X: Float[Tensor, "*batch q d"],
        output_indices: list[int] | None = None,
        observation_noise: bool | Tensor = False,
        posterior_transform: PosteriorTransform | None = None,
    ) -> Posterior:
        """See `Model.posterior`: the joint normal distribution at `X`, in units of the targets."""
        X = X.to(self.inputs)
        if self.batch_shape:
            cross = self._covariance_with(X)  # (*batch, n, q)
            white = torch.linalg.solve_triangular(self.factor, cross, upper=False)
        else:
            # One matrix for all batches, which are usually many candidates of q = 1.
            flat = self._covariance_with(X.reshape(-1, X.shape[-1]))
            white = torch.linalg.solve_triangular(self.factor, flat, upper=False)
            shape = (len(self.inputs), *X.shape[:-1])
            cross, white = (t.reshape(shape).movedim(0, -2) for t in (flat, white))
        trend = _trend(X, self.layout)
        mean = (_basis(X, self.layout) @ self.line)[..., 0] + (cross * self.residual).sum(-2)
        mean = mean + SLOPE * self.scale * trend
        if X.shape[-2] == 1:  # every kernel of a view is 1 at distance 0
            prior = 1 + (self.hyperparameters.trend * trend[..., None]).square()
            spread = (prior - white.square().sum(-2, keepdim=True)).clamp_min(0.0)
        else:
            spread = self._covariance(X, X) - white.transpose(-1, -2) @ white
        noise = self.hyperparameters.noise if observation_noise is not False else 0.0
        spread = noisy(spread, noise + 1e-9) * self.variance[..., None, None]
        posterior = GPyTorchPosterior(MultivariateNormal(mean, spread))
        return posterior if posterior_transform is None else posterior_transform(posterior)

    def grid_posterior(
        self, rows: Float[Tensor, "m d"], budgets: Float[Tensor, " b"]
    ) -> GridPosterior:
        """See `HasGridPosterior`: the covariance of the architectures is computed once."""
        rows, budgets = rows.to(self.inputs), budgets.to(self.inputs)[:, None]
        similar = self._similarity(rows)
        steps = (self.inputs[:, -1:] - budgets.T).square()
        cross = similar[:, None] * along_budget(steps, self.hyperparameters.budget)[..., None]
        white = torch.linalg.solve_triangular(self.factor, cross.flatten(1), upper=False)
        white = white.reshape(cross.shape).permute(2, 1, 0)  # (m, b, n)
        trend = _trend(rows, self.layout)
        line = (_basis(grid(rows, budgets[:, 0]), self.layout) @ self.line)[..., 0]
        mean = line + (self.residual[:, 0] @ cross.flatten(1)).reshape(cross.shape[1:]).T
        mean = mean + SLOPE * self.scale * trend[:, None]
        between = along_budget((budgets - budgets.T).square(), self.hyperparameters.budget)
        between = between * (1 + (self.hyperparameters.trend * trend).square())[:, None, None]
        spread = noisy(between - white @ white.transpose(-1, -2), 1e-9) * self.variance
        noise = self.hyperparameters.noise * self.variance
        return GridPosterior(mean, spread, noise.expand(mean.shape))

    def condition_on_observations(
        self, X: Float[Tensor, "*batch q d"], Y: Float[Tensor, "*batch q 1"], **_: Any
    ) -> GaussianProcessModel:
        """See `Model.condition_on_observations`; the hyperparameters stay the same."""
        shape = np.broadcast_shapes(X.shape[:-2], Y.shape[:-2], self.batch_shape)
        X, Y = X.to(self.inputs), Y.to(self.targets)
        parts = [t.expand(*shape, *t.shape[-2:]) for t in (self.inputs, X, self.targets, Y)]
        return GaussianProcessModel(
            self.views,
            self.hyperparameters,
            self.layout,
            torch.cat(parts[:2], -2),
            torch.cat(parts[2:], -2),
            self.scale,
        )
