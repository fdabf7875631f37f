from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from botorch.acquisition.multi_objective.analytic import ExpectedHypervolumeImprovement
from botorch.posteriors.gpytorch import GPyTorchPosterior
from botorch.utils.multi_objective.box_decompositions import FastNondominatedPartitioning
from botorch.utils.testing import MockModel
from gpytorch.distributions import MultitaskMultivariateNormal
from hypothesis import given, settings
from hypothesis import strategies as st

from bonas.acquisition.hypervolume_improvement import Marginals, cells, log_expected_improvement
from fidelity.history.pareto import hypervolume


def drawn(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def improvement(front: torch.Tensor, reference: torch.Tensor, point: torch.Tensor) -> float:
    """What a point adds to the hypervolume."""
    before, after = (
        hypervolume(-points.numpy(), (-reference).tolist())
        for points in (front, torch.cat([front, point[None]]))
    )
    return after - before


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(0, 12), st.integers(1, 3))
def test_a_sure_value_adds_what_it_adds(seed: int, size: int, objectives: int) -> None:
    front, point = drawn(seed, size, objectives), drawn(seed + 1, objectives)
    reference = torch.full((objectives,), -1.0, dtype=torch.float64)
    beliefs = [Marginals(value[None], torch.zeros(1).double()) for value in point]
    found = log_expected_improvement(beliefs, *cells(front, reference)).exp()
    assert float(found) == pytest.approx(improvement(front, reference, point), abs=1e-4)


@settings(deadline=None)
@given(st.integers(0, 1000), st.integers(0, 8), st.integers(2, 3))
def test_the_expectation_is_that_of_botorch(seed: int, size: int, objectives: int) -> None:
    front, means = drawn(seed, size, objectives), drawn(seed + 1, objectives)
    deviations = drawn(seed + 2, objectives).abs() + 0.1
    reference = torch.full((objectives,), -1.5, dtype=torch.float64)
    beliefs = [Marginals(m[None], d[None]) for m, d in zip(means, deviations, strict=True)]
    found = log_expected_improvement(beliefs, *cells(front, reference))
    normal = MultitaskMultivariateNormal(means[None], torch.diag(deviations.square()))
    theirs = ExpectedHypervolumeImprovement(
        MockModel(GPyTorchPosterior(normal)),
        reference.tolist(),
        FastNondominatedPartitioning(reference, front),
    )(torch.zeros(1, 1, 1, dtype=torch.float64))
    # Theirs is a difference of products: below 1e-12 nothing but rounding is left of it.
    assert float(found.exp()) == pytest.approx(float(theirs), rel=1e-4, abs=1e-12)


def test_where_nothing_is_to_be_expected_the_logarithm_still_tells() -> None:
    front = torch.tensor([[0.0, 0.0]], dtype=torch.float64)
    reference = torch.full((2,), -1.0, dtype=torch.float64)
    means = torch.tensor([-60.0, -50.0], dtype=torch.float64)
    beliefs = [Marginals(means, torch.full((2,), 0.5).double())] * 2
    scores = log_expected_improvement(beliefs, *cells(front, reference))
    assert torch.isfinite(scores).all()
    assert scores[1] > scores[0]


def test_without_a_front_everything_above_the_reference_counts() -> None:
    reference = torch.tensor([-1.0, -2.0], dtype=torch.float64)
    lower, upper = cells(torch.empty(0, 2).double(), reference)
    assert lower.tolist() == [[-1.0, -2.0]]
    assert upper.tolist() == [[math.inf, math.inf]]
