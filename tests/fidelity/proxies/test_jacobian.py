from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from fidelity.proxies.jacobian import JacobianCovariance
from fidelity.proxies.proxy import ProxyError
from tests.fidelity.proxies.contract import ProxyContract, batch, network, score


class TestJacobianCovariance(ProxyContract):
    def proxy(self) -> JacobianCovariance:
        return JacobianCovariance()


def test_it_is_computed_from_the_correlation_of_the_gradients() -> None:
    class Squares(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.square().flatten(1) / 2  # the gradient of its sum is x

    examples = batch(4)
    spectrum = np.linalg.eigvalsh(np.corrcoef(examples.inputs.flatten(1).double().numpy())) + 1e-5
    found = JacobianCovariance()(Squares(), examples, torch.Generator())
    assert found == pytest.approx(-np.sum(np.log(spectrum) + 1 / spectrum))


def test_gradients_that_are_alike_score_worse() -> None:
    linear = nn.Sequential(nn.Flatten(), nn.Linear(108, 3))  # the same gradient for all images
    assert score(JacobianCovariance(), linear) < score(JacobianCovariance(), network()) - 1e5


def test_a_network_without_gradients_has_none() -> None:
    dead = network()
    nn.init.zeros_(dead[-1].weight)
    assert math.isnan(score(JacobianCovariance(), dead))


def test_a_network_that_ignores_its_images_has_none() -> None:
    class Ignorant(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.logits = nn.Parameter(torch.zeros(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.logits.expand(len(x), 3)

    assert math.isnan(score(JacobianCovariance(), Ignorant()))


def test_one_image_is_refused() -> None:
    with pytest.raises(ProxyError, match=r"a batch of 1 example.*needs 2 or more"):
        JacobianCovariance()(network(), batch(1), torch.Generator())
