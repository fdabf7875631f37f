"""A search space of one's own, in one file and without an edit elsewhere."""

from ConfigSpace import Configuration, ConfigurationSpace
from torch import nn

from spaces.architecture.architecture import Architecture, chain
from spaces.space import InputShape, Space
from tests.spaces.contract import SpaceContract


class Perceptrons:
    """One or two hidden layers."""

    configuration_space = ConfigurationSpace(
        {"first": [16, 32, 64], "second": [0, 16, 32], "activation": ["ReLU", "Tanh"]}
    )

    def architecture(self, configuration: Configuration) -> Architecture:
        activation = str(configuration["activation"])
        widths = (configuration["first"], configuration["second"])
        return chain([f"linear {width} {activation}" for width in widths if width])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        activation = {"ReLU": nn.ReLU, "Tanh": nn.Tanh}[str(configuration["activation"])]
        layers: list[nn.Module] = [nn.Flatten()]
        size = input_shape[0] * input_shape[1] * input_shape[2]
        for width in (int(configuration["first"]), int(configuration["second"])):
            if width:
                layers += [nn.Linear(size, width), activation()]
                size = width
        return nn.Sequential(*layers, nn.Linear(size, outputs))


class TestPerceptrons(SpaceContract):
    @staticmethod
    def make_space() -> Space:
        return Perceptrons()
