import pytest
import torch

from spaces.perceptrons import Perceptrons
from spaces.space import Space, SpaceError, configuration
from tests.spaces.contract import SpaceContract


class TestPerceptrons(SpaceContract):
    @staticmethod
    def make_space() -> Space:
        return Perceptrons()


class TestOneLayer(SpaceContract):
    @staticmethod
    def make_space() -> Space:
        return Perceptrons(depth=1, widths=(4, 8, 16))


def test_layers_are_those_of_the_configuration() -> None:
    space = Perceptrons(depth=3, widths=(4, 8))
    chosen = configuration(
        space.configuration_space, {"activation": "tanh", "depth": 2, "width_0": 8, "width_1": 4}
    )
    labels = [node.operation for node in space.architecture(chosen).nodes]
    assert labels == ["input", "linear 8 tanh", "linear 4 tanh", "output"]
    network = space.build(chosen, (5, 1, 1), 3)
    shapes = [tuple(p.shape) for p in network.parameters() if p.ndim == 2]
    assert shapes == [(8, 5), (4, 8), (3, 4)]
    assert network(torch.zeros(2, 5, 1, 1)).shape == (2, 3)


@pytest.mark.parametrize(
    ("space", "complaint"),
    [
        (lambda: Perceptrons(depth=0), "a perceptron has 1 hidden layer or more"),
        (lambda: Perceptrons(widths=()), "one or more different positive numbers"),
        (lambda: Perceptrons(widths=(8, 4)), "ascending"),
        (lambda: Perceptrons(widths=(0, 4)), "positive"),
        (lambda: Perceptrons(activations=("sine",)), "relu, tanh, gelu"),
        (lambda: Perceptrons(activations=()), "relu, tanh, gelu"),
    ],
)
def test_what_cannot_be_is_refused(space: object, complaint: str) -> None:
    assert callable(space)
    with pytest.raises(SpaceError, match=complaint):
        space()
