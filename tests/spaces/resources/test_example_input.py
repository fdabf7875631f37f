import torch
from torch import nn

from spaces.resources.example_input import example_input
from spaces.sequences.sequence_space import SequenceSpace


def test_its_type_is_that_of_the_weights_or_of_the_declared_inputs() -> None:
    image = example_input(nn.Conv2d(3, 4, 1).double(), (3, 8, 8), batch=2)
    assert (image.shape, image.dtype, image.device.type) == ((2, 3, 8, 8), torch.float64, "meta")
    space = SequenceSpace(5)
    network = space.build(space.configuration_space.get_default_configuration(), (6,), 3)
    tokens = example_input(network, (6,), device="cpu")
    assert (tokens.shape, tokens.dtype) == ((1, 6), torch.int64)
    assert network(tokens).shape == (1, 3)


def test_a_network_without_weights_reads_the_default_type() -> None:
    assert example_input(nn.ReLU(), (4,)).dtype == torch.get_default_dtype()
