from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration
from torch import Tensor

from bonas.surrogates.gaussian_process import GaussianProcess
from bonas.surrogates.kernel import (
    ConfigurationView,
    FeatureView,
    GraphView,
    Hyperparameters,
    PathView,
    View,
    covariance,
    squared_distances,
)
from bonas.surrogates.surrogate import marginal_mean, mean
from spaces.cells.cell import CellSpace
from spaces.encoding import Encoder, Layout
from spaces.space import sample
from tests.bonas.surrogates.contract import SurrogateContract, encoded, targets


class TestGraphAndConfiguration(SurrogateContract):
    def surrogate(self) -> GaussianProcess:
        return GaussianProcess()


class TestGraphAlone(SurrogateContract):
    # The graph is not told which edge is which, and the targets depend on it.
    interpolates = 1.5

    def surrogate(self) -> GaussianProcess:
        return GaussianProcess((GraphView(1),))


class TestConfigurationAlone(SurrogateContract):
    def surrogate(self) -> GaussianProcess:
        return GaussianProcess((ConfigurationView(),))


def test_every_view_gives_a_positive_definite_kernel_of_unit_variance() -> None:
    rows, layout = encoded()
    views: list[View] = [ConfigurationView(), GraphView(0), GraphView(1), PathView()]
    for view in views:
        distances = squared_distances([view], rows, rows, layout)
        matrix = covariance(distances, Hyperparameters((0.8,), (1.0,), 0.01))
        assert torch.allclose(matrix.diagonal(), torch.ones(len(rows)).double())
        assert float(torch.linalg.eigvalsh(matrix).min()) > -1e-9


def test_tuning_finds_the_view_that_matters_and_the_noise() -> None:
    rows, layout = encoded()
    noise = torch.randn(60, 1, generator=torch.Generator().manual_seed(0)).double()
    exact = GaussianProcess().tuned(rows, targets(rows), layout).hyperparameters
    noisy = GaussianProcess().tuned(rows, targets(rows) + noise, layout).hyperparameters
    assert exact is not None
    assert noisy is not None
    assert exact.weights[0] > exact.weights[1]
    assert exact.noise < noisy.noise


def test_conditioning_agrees_with_fitting_at_once() -> None:
    rows, layout = encoded()
    wanted = targets(rows)
    surrogate = GaussianProcess().tuned(rows[:20], wanted[:20], layout)
    at_once = surrogate.fit(rows[:25], wanted[:25], layout)
    step = surrogate.fit(rows[:20], wanted[:20], layout).condition_on_observations(
        rows[20:25], wanted[20:25]
    )
    assert torch.allclose(mean(at_once, rows[25:]), mean(step, rows[25:]), atol=1e-8)


def test_fantasies_make_a_batch_of_models() -> None:
    rows, layout = encoded()
    model = GaussianProcess().fit(rows[:20], targets(rows[:20]), layout)
    samples = model.posterior(rows[20:23]).rsample(torch.Size([4]))
    fantasies = model.condition_on_observations(rows[20:23].expand(4, -1, -1), samples)
    assert fantasies.batch_shape == torch.Size([4])
    assert mean(fantasies, rows[30:35]).shape == (4, 5, 1)


def test_the_mean_of_each_row_alone_is_that_of_all_together() -> None:
    rows, layout = encoded()
    model = GaussianProcess().fit(rows[:20], targets(rows[:20]), layout)
    alone = marginal_mean(model, rows[20:])
    assert torch.allclose(alone, mean(model, rows[20:]), atol=1e-10, rtol=0)


def test_many_observations_are_thinned_out_and_the_best_kept() -> None:
    rows, layout = encoded()
    model = GaussianProcess(most=20).fit(rows, targets(rows), layout)
    assert model.inputs.shape[0] == 20
    assert float(model.targets.max()) == float(targets(rows).max())


def test_a_view_of_features_needs_some_and_learns_from_them() -> None:
    space = CellSpace.nasbench201()
    chosen = sample(space.configuration_space, 80, np.random.default_rng(0))

    def convolutions(configuration: Configuration) -> tuple[float]:
        nodes = space.architecture(configuration).canonical().nodes
        return (float(sum(node.operation == "nor_conv_3x3" for node in nodes)),)

    encoding = Encoder(space, 1, convolutions).encode(chosen)
    rows = torch.from_numpy(encoding.rows)
    wanted = torch.tensor([convolutions(configuration) for configuration in chosen]).double()
    process = GaussianProcess((FeatureView(),))
    model = process.fit(rows[:60], wanted[:60], encoding.layout)
    assert float((mean(model, rows[60:]) - wanted[60:]).abs().mean()) < 0.1
    with pytest.raises(ValueError, match="features"):
        process.fit(rows[:20], wanted[:20], encoded()[1])


def at_two_budgets(rows: Tensor, layout: Layout) -> tuple[Tensor, Tensor, Layout]:
    """The rows at the lowest and at the highest budget, and where the budget is in them."""
    columns = rows.shape[1]
    low, high = (torch.cat([rows, torch.full_like(rows[:, :1], at)], 1) for at in (0.0, 1.0))
    return low, high, replace(layout, budget=slice(columns, columns + 1))


def test_along_the_budget_the_mean_is_a_line_and_nearby_budgets_are_alike() -> None:
    rows, layout = encoded()
    low, high, joint = at_two_budgets(rows, layout)
    inputs = torch.cat([low[:40], high[:10]])
    values = torch.cat([targets(rows[:40]), targets(rows[:10]) + 5.0])
    model = GaussianProcess().fit(inputs, values, joint)
    error = (mean(model, high[10:40]) - targets(rows[10:40]) - 5.0).abs().mean()
    assert float(error) < 0.3 * float(targets(rows).std())


def test_one_evaluation_at_another_budget_is_no_evidence_that_budgets_differ() -> None:
    rows, layout = encoded()
    rows = rows[:17]
    low, high, joint = at_two_budgets(rows, layout)
    values = targets(rows)
    best = int(values.argmax())
    inputs = torch.cat([low, high[best : best + 1]])
    model = GaussianProcess().fit(inputs, torch.cat([values, values[best : best + 1] + 1]), joint)
    assert model.hyperparameters.budget >= 1
    worst = int(values.argmin())
    assert float(mean(model, high)[worst]) < float(mean(model, high)[best])
