import pytest
import torch
from ConfigSpace import Configuration
from torch import nn

from spaces.resources.resources import count_resources
from spaces.space import Space, SpaceError, configuration
from spaces.tabular.residual_perceptrons import ResidualPerceptrons
from tests.spaces.contract import SpaceContract


class TestResidualPerceptrons(SpaceContract):
    input_shape = (13,)

    @staticmethod
    def make_space() -> Space:
        return ResidualPerceptrons()


class TestOneWidth(SpaceContract):
    input_shape = (5, 1, 1)
    outputs = 1

    @staticmethod
    def make_space() -> Space:
        return ResidualPerceptrons(
            depth=(2, 3), widths=(8,), factors=(1,), normalisations=("layer",)
        )


SPACE = ResidualPerceptrons()


def chosen(**values: object) -> Configuration:
    default = {
        "depth": 2,
        "width": 32,
        "factor": 2,
        "normalisation": "batch",
        "hidden_dropout": 0.25,
        "residual_dropout": 0.0,
    }
    return configuration(SPACE.configuration_space, default | values)


def test_the_network_is_that_of_the_paper() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm, self.first, self.last = (
                nn.BatchNorm1d(32),
                nn.Linear(32, 64),
                nn.Linear(64, 32),
            )

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + self.last(self.first(self.norm(x)).relu())

    published = nn.Sequential(
        nn.Linear(7, 32), Block(), Block(), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 3)
    )
    network = SPACE.build(chosen(), (7,), 3)
    for ours, theirs in zip(network.parameters(), published.parameters(), strict=True):
        theirs.data = ours.data
    rows = torch.randn(6, 7)
    torch.testing.assert_close(network.eval()(rows), published.eval()(rows))


def test_the_graph_names_every_layer() -> None:
    labels = [n.operation for n in SPACE.architecture(chosen(depth=1)).canonical().nodes]
    assert labels == [
        "input",
        "linear 32",
        "batch norm",
        "linear 64 relu",
        "dropout 0.25",
        "linear 32",
        "batch norm",
        "relu",
        "output",
    ]


def test_a_table_and_an_image_of_one_pixel_have_the_same_network() -> None:
    states = []
    for shape in ((7,), (7, 1, 1)):
        torch.manual_seed(0)
        network = SPACE.build(chosen(normalisation="layer"), shape, 3)
        assert network(torch.randn(4, *shape)).shape == (4, 3)
        states.append(network.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_resources_by_hand() -> None:
    counted = count_resources(SPACE.build(chosen(), (7,), 3), (7,))
    assert counted.multiply_adds == 7 * 32 + 2 * 2 * 32 * 64 + 32 * 3
    biases = 32 + 2 * (64 + 32) + 3
    assert counted.parameters == counted.multiply_adds + biases + 3 * 2 * 32


@pytest.mark.parametrize(
    ("space", "complaint"),
    [
        (lambda: ResidualPerceptrons(depth=(3, 2)), "bounds ascend"),
        (lambda: ResidualPerceptrons(widths=()), "the widths are"),
        (lambda: ResidualPerceptrons(widths=(8, 4)), "ascending"),
        (lambda: ResidualPerceptrons(factors=(0, 1)), "numbers from 1"),
        (lambda: ResidualPerceptrons(normalisations=("group",)), "choose 'batch' or 'layer'"),
        (lambda: ResidualPerceptrons(normalisations=()), "nothing to choose from"),
        (lambda: ResidualPerceptrons(hidden_dropouts=(0.5, 1.0)), "below 1"),
    ],
)
def test_what_cannot_be_is_refused(space: object, complaint: str) -> None:
    assert callable(space)
    with pytest.raises(SpaceError, match=complaint):
        space()
