from __future__ import annotations

import pytest
import torch
from torch import nn

from fidelity.proxies.proxy import ProxyError
from fidelity.proxies.zen import Zen
from tests.fidelity.proxies.contract import ProxyContract, batch, network, score


class TestZen(ProxyContract):
    def proxy(self) -> Zen:
        return Zen()


def test_neither_weights_nor_images_matter() -> None:
    found = Zen()(network(seed=1), batch(seed=1), torch.Generator().manual_seed(0))
    assert found == score(Zen(), network())


def test_it_draws_from_its_generator() -> None:
    assert score(Zen(), network(), seed=0) != score(Zen(), network(), seed=1)


def test_the_scale_that_normalisation_takes_out_is_put_back() -> None:
    """After one more normalisation, which divides by 1, the score is the same."""
    once = network(dropout=0.0)
    twice = nn.Sequential(*list(once)[:2], nn.BatchNorm2d(4), *list(once)[2:])
    assert score(Zen(), twice) == pytest.approx(score(Zen(), once), abs=1e-2)


def test_deeper_networks_score_higher() -> None:
    once = network(dropout=0.0)
    deeper = nn.Sequential(*list(once)[:7], *list(network(seed=1))[4:7], *list(once)[7:])
    assert score(Zen(), deeper) > score(Zen(), once) + 1


@pytest.mark.parametrize(
    ("layers", "missing"),
    [
        ([nn.Flatten(), nn.Linear(108, 3)], "Conv2d"),
        ([nn.Conv2d(3, 3, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()], "BatchNorm2d"),
        ([nn.Conv2d(3, 3, 3), nn.BatchNorm2d(3), nn.Flatten()], "AdaptiveAvgPool2d"),
    ],
)
def test_a_network_without_its_layers_is_refused(layers: list[nn.Module], missing: str) -> None:
    with pytest.raises(ProxyError, match=rf"no nn\.{missing}.*choose another proxy"):
        score(Zen(), nn.Sequential(*layers))


def test_one_image_is_refused() -> None:
    with pytest.raises(ProxyError, match=r"a batch of 1 example.*needs 2 or more"):
        Zen()(network(), batch(1), torch.Generator())
