import numpy as np
import pytest
import torch

from spaces import operations
from spaces.cells.darts import DartsSpace, Edge, darts
from spaces.space import Space, SpaceError, configuration, sample, values
from tests.spaces.contract import SpaceContract

# DARTS_V2, the second-order result of Liu et al. (2019), figures 4 and 5.
NORMAL: list[Edge] = [
    ("sep_conv_3x3", 0),
    ("sep_conv_3x3", 1),
    ("sep_conv_3x3", 0),
    ("sep_conv_3x3", 1),
    ("sep_conv_3x3", 1),
    ("skip_connect", 0),
    ("skip_connect", 0),
    ("dil_conv_3x3", 2),
]
REDUCTION: list[Edge] = [
    ("max_pool_3x3", 0),
    ("max_pool_3x3", 1),
    ("skip_connect", 2),
    ("max_pool_3x3", 1),
    ("max_pool_3x3", 0),
    ("skip_connect", 2),
    ("skip_connect", 2),
    ("max_pool_3x3", 1),
]


class TestDarts(SpaceContract):
    builds = 6

    @staticmethod
    def make_space() -> Space:
        return darts(channels=4, cells=3)


def test_the_published_cells_have_the_published_size() -> None:
    space = darts()
    with torch.device("meta"):
        network = space.build(space.from_genotype(NORMAL, REDUCTION), (3, 32, 32), 10)
    assert sum(p.numel() for p in network.parameters()) == 3_349_342


@pytest.mark.parametrize("pixels", [5, 9, 32])
def test_images_of_any_size(pixels: int) -> None:
    space = darts(channels=4, cells=3)
    for drawn in sample(space.configuration_space, 4, np.random.default_rng(0)):
        network = space.build(drawn, (1, pixels, pixels), 3)
        assert network(torch.randn(2, 1, pixels, pixels)).shape == (2, 3)


def test_the_two_cells_are_not_confused() -> None:
    space = darts()
    one = space.architecture(space.from_genotype(NORMAL, REDUCTION))
    other = space.architecture(space.from_genotype(REDUCTION, NORMAL))
    assert one.key != other.key


def test_nodes_that_hear_nothing() -> None:
    space = darts(channels=4, cells=3)
    default = values(space.configuration_space.get_default_configuration())
    silent = {name: "none" if "sources" not in name else at for name, at in default.items()}
    nothing = configuration(space.configuration_space, silent)
    assert not space.architecture(nothing).connected
    assert space.build(nothing, (3, 8, 8), 5)(torch.zeros(2, 3, 8, 8)).shape == (2, 5)
    partly = configuration(
        space.configuration_space,
        {**silent, "normal:node3:first": "sep_conv_3x3", "reduction:node2:second": "skip_connect"},
    )
    assert space.architecture(partly).connected
    assert space.build(partly, (3, 8, 8), 5)(torch.zeros(2, 3, 8, 8)).shape == (2, 5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DartsSpace({"none": operations.zero}), "no valid architecture"),
        (lambda: DartsSpace(cells=0), "at least 1"),
        (lambda: darts().from_genotype(NORMAL[:3], REDUCTION), "8 edges"),
        (lambda: darts().from_genotype([("conv9x9", 0), *NORMAL[1:]], REDUCTION), "conv9x9"),
        (lambda: darts().from_genotype([*NORMAL[:7], NORMAL[6]], REDUCTION), "0,0"),
    ],
)
def test_impossible_cells_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(SpaceError, match=message):
        make()
