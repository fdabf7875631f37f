from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from fidelity.proxies.gradients import SNIP, GradNorm
from fidelity.proxies.proxy import Proxy, ProxyError
from tests.fidelity.proxies.contract import ProxyContract, batch, network, score


class TestSNIP(ProxyContract):
    def proxy(self) -> SNIP:
        return SNIP()


class TestGradNorm(ProxyContract):
    def proxy(self) -> GradNorm:
        return GradNorm()


def test_they_are_those_of_the_cross_entropy() -> None:
    examples = batch()
    whole = network(dropout=0.0).train()
    nn.functional.cross_entropy(whole(examples.inputs), examples.targets).backward()
    layers = [whole[0], whole[4], whole[9]]
    norms = sum(float(layer.weight.grad.norm()) for layer in layers)
    sensitivities = sum(
        float((layer.weight * layer.weight.grad).detach().abs().sum()) for layer in layers
    )
    assert score(GradNorm(), network(dropout=0.0)) == pytest.approx(norms, rel=1e-5)
    assert score(SNIP(), network(dropout=0.0)) == pytest.approx(sensitivities, rel=1e-5)


@pytest.mark.parametrize("proxy", [SNIP(), GradNorm()])
class TestBadInput:
    def test_a_layer_that_plays_no_part_adds_nothing(self, proxy: Proxy) -> None:
        idle = network()
        idle.unused = nn.Linear(2, 2)
        idle.forward = nn.Sequential(*list(idle.children())[:-1]).forward
        assert score(proxy, idle) == pytest.approx(score(proxy, network()))

    def test_images_of_one_class_are_refused(self, proxy: Proxy) -> None:
        alike = replace(batch(), targets=torch.full((8,), 2))
        with pytest.raises(ProxyError, match=r"all 8 examples .* same target: .*more examples"):
            proxy(network(), alike, torch.Generator())

    def test_one_image_is_refused(self, proxy: Proxy) -> None:
        with pytest.raises(ProxyError, match=r"a batch of 1 example.*needs 2 or more"):
            proxy(network(), batch(1), torch.Generator())

    def test_a_network_without_weights_is_refused(self, proxy: Proxy) -> None:
        pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        with pytest.raises(ProxyError, match=r"neither nn\.Conv2d nor nn\.Linear"):
            score(proxy, pooled)
