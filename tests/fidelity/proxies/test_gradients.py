from __future__ import annotations

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
    images, targets = batch()
    whole = network(dropout=0.0).train()
    nn.functional.cross_entropy(whole(images), targets).backward()
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
        images, targets = batch()
        with pytest.raises(ProxyError, match=r"all 8 images .* have the label 2: .*more images"):
            proxy(network(), images, torch.full_like(targets, 2), torch.Generator())

    def test_one_image_is_refused(self, proxy: Proxy) -> None:
        images, targets = batch(1)
        with pytest.raises(ProxyError, match=r"a batch of 1 image.*needs 2 or more"):
            proxy(network(), images, targets, torch.Generator())

    def test_a_network_without_weights_is_refused(self, proxy: Proxy) -> None:
        pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        with pytest.raises(ProxyError, match=r"neither nn\.Conv2d nor nn\.Linear"):
            score(proxy, pooled)
