from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from fidelity.proxies.proxy import ProxyError
from fidelity.proxies.synflow import Synflow
from tests.fidelity.proxies.contract import ProxyContract, batch, network, score


class TestSynflow(ProxyContract):
    def proxy(self) -> Synflow:
        return Synflow()


def test_it_is_the_flow_through_all_paths() -> None:
    """Without biases every layer's saliencies add up to the sum of the outputs (Tanaka, 2)."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first, second = nn.Linear(2, 3, bias=False), nn.Linear(3, 2, bias=False)
    chained = nn.Sequential(first, nn.BatchNorm1d(3), nn.ReLU(), second)
    paths = second.weight.detach().double().abs() @ first.weight.detach().double().abs()
    found = Synflow()(chained, replace(batch(), inputs=torch.zeros(4, 2)), torch.Generator())
    assert found == pytest.approx(math.log(2 * float(paths.sum())))


def test_neither_images_nor_signs_nor_normalisation_matter() -> None:
    one, other = network(), network()
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.neg_()
        other[1].running_var.fill_(7.0)
        other[1].weight.fill_(3.0)
    found = Synflow()(other, batch(size=1, seed=1), torch.Generator())
    assert found == pytest.approx(score(Synflow(), one))


def test_what_overflows_in_single_precision_has_a_score() -> None:
    layers = [nn.Linear(64, 64, bias=False) for _ in range(24)]
    for layer in layers:
        nn.init.constant_(layer.weight, 1.0)
    deep = nn.Sequential(*layers)
    found = Synflow()(deep, replace(batch(), inputs=torch.zeros(2, 64)), torch.Generator())
    assert found == pytest.approx(math.log(24) + 25 * math.log(64))
    assert found > math.log(torch.finfo(torch.float32).max)


def test_a_network_that_passes_nothing_has_none() -> None:
    closed = network()
    nn.init.zeros_(closed[-1].weight)
    assert score(Synflow(), closed) == -math.inf


def test_a_network_without_weights_is_refused() -> None:
    with pytest.raises(ProxyError, match=r"neither nn\.Conv2d nor nn\.Linear.*another proxy"):
        score(Synflow(), nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()))
