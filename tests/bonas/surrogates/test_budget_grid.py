from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from bonas.surrogates import GaussianProcess, RandomForest
from bonas.surrogates.budget_grid import HasGridPosterior, grid, grid_posterior
from bonas.surrogates.kernel import ConfigurationView, GraphView, Hyperparameters
from spaces.encoding import Layout
from tests.bonas.surrogates.contract import encoded, targets

BUDGETS = torch.tensor([0.0, 0.4, 1.0]).double()


def observed() -> tuple[Tensor, Tensor, Layout]:
    """Thirty networks at the lowest budget, ten of them at two others too, with their targets."""
    rows, layout = encoded()
    parts = [grid(rows[:30], BUDGETS[:1]), grid(rows[:10], BUDGETS[1:])]
    inputs = torch.cat([part.flatten(0, 1) for part in parts])
    values = torch.cat([targets(rows[:30]), targets(rows[:10]).repeat_interleave(2, 0) + 0.5])
    columns = rows.shape[1]
    return inputs, values, replace(layout, budget=slice(columns, columns + 1))


@pytest.mark.parametrize("hyperparameters", [None, Hyperparameters((0.8, 1.2), (0.3, 0.7), 0.1, 3)])
@pytest.mark.parametrize("views", [(ConfigurationView(), GraphView(1))])
def test_the_grid_posterior_is_the_joint_posterior(
    views: Any, hyperparameters: Hyperparameters | None
) -> None:
    rows, _ = encoded()
    model: Any = GaussianProcess(views, hyperparameters).fit(*observed())
    assert isinstance(model, HasGridPosterior)
    found = grid_posterior(model, rows[5:50], BUDGETS)
    points = grid(rows[5:50], BUDGETS)
    joint = model.posterior(points)
    noisy = model.posterior(points, observation_noise=True)
    assert torch.allclose(found.mean, joint.mean[..., 0], atol=1e-8, rtol=0)
    wanted = joint.distribution.covariance_matrix
    assert torch.allclose(found.covariance, wanted, atol=1e-8, rtol=0)
    assert torch.allclose(found.variance, joint.variance[..., 0], atol=1e-8, rtol=0)
    noise = (noisy.variance - joint.variance)[..., 0]
    assert torch.allclose(found.noise, noise, atol=1e-8, rtol=0)


def test_after_conditioning_on_running_trials_too() -> None:
    rows, _ = encoded()
    model = GaussianProcess().fit(*observed())
    running = grid(rows[40:43], BUDGETS[1:2])[:, 0]
    model = model.condition_on_observations(running, torch.zeros(3, 1).double())
    wanted: Any = model.posterior(grid(rows[45:], BUDGETS))
    found = model.grid_posterior(rows[45:], BUDGETS)
    assert torch.allclose(found.mean, wanted.mean[..., 0], atol=1e-8, rtol=0)


@dataclass(frozen=True)
class Counted:
    """A view that remembers how many observed rows it was given."""

    rows: list[int] = field(default_factory=list)

    def squared_distances(self, a: Tensor, b: Tensor, layout: Layout) -> Tensor:
        self.rows.append(len(a))
        return ConfigurationView().squared_distances(a, b, layout)


def test_an_architecture_observed_at_several_budgets_is_compared_once() -> None:
    rows, _ = encoded()
    view, inputs = Counted(), observed()
    model = GaussianProcess((view,), Hyperparameters((1.2,), (1.0,), 0.1)).fit(*inputs)
    model.grid_posterior(rows[40:], BUDGETS)
    model.posterior(grid(rows[40:], BUDGETS)[:, :1])
    assert view.rows == [30, 30, 30]


def test_a_model_that_only_has_a_posterior_is_enough() -> None:
    rows, _ = encoded()
    model: Any = RandomForest(trees=10).fit(*observed())
    assert not isinstance(model, HasGridPosterior)
    found = grid_posterior(model, rows[5:20], BUDGETS)
    for column in range(len(BUDGETS)):
        alone = model.posterior(grid(rows[5:20], BUDGETS)[:, column, None])
        assert torch.allclose(found.mean[:, column], alone.mean[:, 0, 0])
        assert torch.allclose(found.variance[:, column], alone.variance[:, 0, 0])
    assert (found.noise >= 0).all()


def test_the_correlation_of_budgets_is_within_its_bounds_and_falls_with_their_distance() -> None:
    rows, _ = encoded()
    found = grid_posterior(GaussianProcess().fit(*observed()), rows[40:], BUDGETS)
    near, far = found.correlation(1, 2), found.correlation(0, 2)
    assert (near <= 1).all()
    assert (far >= -1).all()
    assert float(near.median()) > float(far.median())
    assert torch.allclose(found[:4].correlation(0, 2), far[:4])


def test_with_a_trend_too() -> None:
    inputs, values, layout = observed()
    rows, _ = encoded()
    trend = torch.linspace(-2, 2, len(rows)).double()[:, None]
    column = torch.cat([trend[:30], trend[:10].repeat_interleave(2, 0)])
    inputs = torch.cat([inputs[:, :-1], column, inputs[:, -1:]], 1)
    end = inputs.shape[1]
    layout = replace(layout, trend=slice(end - 2, end - 1), budget=slice(end - 1, end))
    hyperparameters = Hyperparameters((0.8, 1.2), (0.3, 0.7), 0.1, 3, trend=1.0)
    model: Any = GaussianProcess(hyperparameters=hyperparameters).fit(inputs, values, layout)
    networks = torch.cat([rows, trend], 1)[5:50]
    found, joint = (
        grid_posterior(model, networks, BUDGETS),
        model.posterior(grid(networks, BUDGETS)),
    )
    assert torch.allclose(found.mean, joint.mean[..., 0], atol=1e-8, rtol=0)
    wanted = joint.distribution.covariance_matrix
    assert torch.allclose(found.covariance, wanted, atol=1e-8, rtol=0)
