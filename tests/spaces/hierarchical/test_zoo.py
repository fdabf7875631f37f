from collections.abc import Callable

import pytest
import torch
from ConfigSpace import Configuration
from torch import nn

from spaces import zoo
from spaces.hierarchical.stage_space import StageSpace
from spaces.motifs.build import WithAuxiliary
from spaces.resources.resources import count_resources
from spaces.space import Space, configuration, values
from tests.spaces.contract import SpaceContract

NETWORKS = [
    (zoo.resnet18, 224, 11_689_512, 1.81e9),
    (zoo.resnet50, 224, 25_557_032, 4.09e9),
    (zoo.resnext50_32x4d, 224, 25_028_904, 4.23e9),
    (zoo.inception_v3, 299, 23_834_568, 5.71e9),
    (zoo.inception_v4, 299, 42_679_816, 12.27e9),
]


class TestStageSpace(SpaceContract):
    builds = 5

    @staticmethod
    def make_space() -> Space:
        return zoo.space()


@pytest.mark.parametrize(("make", "pixels", "parameters", "multiply_adds"), NETWORKS)
def test_published_costs(
    make: Callable[[], Configuration], pixels: int, parameters: int, multiply_adds: float
) -> None:
    with torch.device("meta"):
        network = zoo.space().build(make(), (3, pixels, pixels), 1000)
    counted = count_resources(network, (3, pixels, pixels))
    assert counted.parameters == parameters
    assert counted.multiply_adds == pytest.approx(multiply_adds, rel=0.01)


@pytest.mark.parametrize("make", [network[0] for network in NETWORKS])
def test_logits_are_finite(make: Callable[[], Configuration]) -> None:
    torch.manual_seed(0)
    network = zoo.space().build(make(), (3, 64, 64), 1000).eval()
    with torch.no_grad():
        logits = network(torch.randn(1, 3, 64, 64))
    assert logits.shape == (1, 1000)
    assert torch.isfinite(logits).all()


@pytest.mark.slow
@pytest.mark.parametrize(("make", "pixels"), [network[:2] for network in NETWORKS])
def test_logits_of_images_of_the_published_size_are_finite(
    make: Callable[[], Configuration], pixels: int
) -> None:
    torch.manual_seed(0)
    network = zoo.space().build(make(), (3, pixels, pixels), 1000).eval()
    with torch.no_grad():
        logits = network(torch.randn(1, 3, pixels, pixels))
    assert logits.shape == (1, 1000)
    assert torch.isfinite(logits).all()


def test_inception_v3_with_its_auxiliary_classifier() -> None:
    space = zoo.space().with_auxiliary()
    with torch.device("meta"):
        network = space.build(zoo.inception_v3(), (3, 299, 299), 1000)
        assert isinstance(network, WithAuxiliary)
        logits, auxiliary = network.eval().both(torch.empty(1, 3, 299, 299))
    assert sum(p.numel() for p in network.parameters()) == 27_161_264
    assert logits.shape == auxiliary.shape == (1, 1000)


def test_both_classifiers_learn() -> None:
    space = StageSpace(stages=(2, 2), depth=(1, 2), auxiliary=True)
    network = space.build(space.configuration_space.get_default_configuration(), (3, 32, 32), 10)
    assert isinstance(network, WithAuxiliary)
    image = torch.randn(2, 3, 32, 32)
    logits, auxiliary = network.both(image)
    nn.functional.mse_loss(logits, torch.zeros_like(logits)).backward(retain_graph=True)
    auxiliary.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())
    torch.testing.assert_close(network.eval()(image), network.both(image)[0])


def test_a_search_goes_past_the_named_networks() -> None:
    space = zoo.space()
    chosen = values(zoo.resnet18())
    deeper = {**chosen, "stages:stage2:depth": 3, "stages:stage2:basic:block3:kernel": 5}
    known = space.architecture(zoo.resnet18())
    other = space.architecture(configuration(space.configuration_space, deeper))
    assert known.key != other.key
    assert len({space.architecture(make[0]()).key for make in NETWORKS}) == 5
