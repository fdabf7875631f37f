from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from fidelity.proxies.naswot import NASWOT
from fidelity.proxies.proxy import ProxyError
from tests.fidelity.proxies.contract import ProxyContract, batch, network, score


class TestNASWOT(ProxyContract):
    def proxy(self) -> NASWOT:
        return NASWOT()


def test_it_is_the_log_determinant_of_agreeing_units() -> None:
    rectified = nn.Sequential(nn.Flatten(), nn.ReLU())
    images = torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, 1], [-1, -1, -1, 1]]).reshape(3, 1, 2, 2)
    agreeing = torch.tensor([[4.0, 3, 1], [3, 4, 2], [1, 2, 4]])
    found = NASWOT()(rectified, replace(batch(3), inputs=images), torch.Generator())
    assert found == pytest.approx(math.log(float(torch.det(agreeing))), rel=1e-6)


def test_images_that_are_not_told_apart_have_none() -> None:
    examples = batch()
    examples.inputs[1] = examples.inputs[0]
    assert NASWOT()(network(), examples, torch.Generator()) == -math.inf


def test_one_rectifier_used_twice_counts_twice() -> None:
    shared = nn.ReLU()
    twice = nn.Sequential(nn.Flatten(), shared, nn.Linear(108, 5), shared)
    once = nn.Sequential(twice[0], twice[1], twice[2])
    assert score(NASWOT(), twice) > score(NASWOT(), once)


def test_a_network_without_rectifiers_is_refused() -> None:
    smooth = nn.Sequential(nn.Flatten(), nn.Linear(108, 4), nn.Tanh(), nn.Linear(4, 3))
    with pytest.raises(ProxyError, match=r"no nn\.ReLU or nn\.ReLU6.*choose another proxy"):
        score(NASWOT(), smooth)


def test_one_image_is_refused() -> None:
    with pytest.raises(ProxyError, match=r"a batch of 1 example.*needs 2 or more"):
        NASWOT()(network(), batch(1), torch.Generator())
