"""The trend of a Gaussian process: a prediction of the targets as a column."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from bonas.surrogates import GaussianProcess
from bonas.surrogates.gaussian_process import SLOPE
from bonas.surrogates.surrogate import marginal_mean
from spaces.encoding import Layout
from tests.bonas.surrogates.contract import encoded, targets


def with_trend(trend: Tensor) -> tuple[Tensor, Layout]:
    rows, layout = encoded()
    end = rows.shape[1]
    return torch.cat([rows, trend], 1), replace(layout, trend=slice(end, end + 1))


def error(inputs: Tensor, layout: Layout, known: int = 10) -> float:
    truth = targets(encoded()[0])
    model = GaussianProcess().fit(inputs[:known], truth[:known], layout)
    return float((marginal_mean(model, inputs[known:]) - truth[known:]).square().mean())


def test_a_right_prediction_helps() -> None:
    rows, layout = encoded()
    truth = targets(rows)
    right = (truth - truth.mean()) / truth.std()
    assert error(*with_trend(right)) < 0.25 * error(rows, layout)


@pytest.mark.parametrize("sign", [-1.0, 0.0])
def test_a_wrong_one_hardly_hurts_once_there_is_evidence(sign: float) -> None:
    rows, layout = encoded()
    truth = targets(rows)
    noise = torch.randn(truth.shape, generator=torch.Generator().manual_seed(1)).double()
    wrong = sign * (truth - truth.mean()) / truth.std() if sign else noise
    assert error(*with_trend(wrong), known=40) < 1.5 * error(rows, layout, known=40) + 1e-3


def test_without_evidence_the_prediction_is_trusted_by_half() -> None:
    trend = torch.linspace(-1, 1, 60).double()[:, None]
    inputs, layout = with_trend(trend)
    inputs[:, : layout.trend.start] = 0.0  # type: ignore[union-attr]
    model: Any = GaussianProcess().fit(inputs[:1], torch.zeros(1, 1).double(), layout)
    risen = marginal_mean(model, inputs[-1:]) - marginal_mean(model, inputs[:1])
    assert float(risen) == pytest.approx(2 * SLOPE * model.scale, rel=1.0)
    assert float(risen) > 0


def test_the_variance_grows_with_the_distance_along_the_trend() -> None:
    trend = torch.zeros(60, 1).double()
    trend[-1] = 3.0
    inputs, layout = with_trend(trend)
    inputs[-1, : layout.trend.start] = inputs[-2, : layout.trend.start]  # type: ignore[union-attr]
    model: Any = GaussianProcess().fit(inputs[:20], targets(inputs[:20, :-1]), layout)
    near, far = model.posterior(inputs[-2:, None]).variance[:, 0, 0]
    assert far > near
    joint = model.posterior(inputs[-2:]).variance[:, 0]
    assert torch.allclose(torch.stack([near, far]), joint, atol=1e-9)
