import numpy as np
import pytest
import torch
from ConfigSpace import Configuration, ConfigurationSpace
from torch import nn

from spaces import operations, zoo
from spaces.hierarchical.liu2018 import Level, Library, Stacked, liu2018
from spaces.hierarchical.space import HierarchicalSpace
from spaces.motifs.layers import Convolution, Custom, Pool
from spaces.motifs.motifs import Chain, Choice, Fixed, Graph, Motif, Repeat, Stage
from spaces.motifs.motifs import operations as alternatives
from spaces.motifs.plan import Draft
from spaces.motifs.scope import Declared, Scope
from spaces.space import Space, SpaceError, configuration, sample
from tests.spaces.contract import SpaceContract

EDGE = Choice(
    alternatives(
        {
            "none": operations.zero,
            "skip": operations.identity,
            "conv": operations.relu_conv_bn(3),
        }
    )
)


def three_levels() -> Motif:
    """A chain of graphs, on whose edges are graphs or convolutions."""
    inner = Choice({"small": Graph(EDGE, 3), "pool": Fixed((Pool("max"),))})
    return Repeat(Graph(inner, 3), 1, 2, "cell")


class TestMotifs(SpaceContract):
    builds = 10

    @staticmethod
    def make_space() -> Space:
        return HierarchicalSpace(three_levels(), (Convolution(8),))


class TestLibrary(SpaceContract):
    builds = 5

    @staticmethod
    def make_space() -> Space:
        return liu2018(widths=(4, 8))


def test_a_motif_within_one_of_its_own_kind_keeps_its_name() -> None:
    inner = Repeat(EDGE, 0, 2, "part")
    space = HierarchicalSpace(Repeat(inner, 1, 2, "part"), (Convolution(4),))
    assert "part1:part1:motif" in space.configuration_space
    assert "part2:depth" in space.configuration_space
    assert len(space.configuration_space) == 1 + 2 * (1 + 2)


def test_what_is_not_chosen_is_inactive() -> None:
    space = HierarchicalSpace(three_levels(), (Convolution(4),))
    for drawn in sample(space.configuration_space, 50, np.random.default_rng(0)):
        active = set(drawn)
        for name in active:
            if name.endswith(":motif") and "small" not in name and drawn[name] == "pool":
                assert not any(
                    other.startswith(name[: -len("motif")] + "small") for other in active
                )
        assert drawn["depth"] == 2 or not any(name.startswith("cell2") for name in active)


def test_a_motif_that_no_edge_uses_is_inactive() -> None:
    space = liu2018(widths=(4,))
    for drawn in sample(space.configuration_space, 50, np.random.default_rng(0)):
        used = {str(drawn[name]) for name in drawn if name.startswith("level2")} - {"none"}
        active = {name.split(":")[1] for name in drawn if name.startswith("level1")}
        assert active == used


def test_a_motif_is_used_wherever_an_edge_names_it() -> None:
    library = Library({"conv": operations.relu_conv_bn(3)}, (Level(1, 2), Level(1, 2), Level(1, 3)))
    space = HierarchicalSpace(Stacked(library, (4,)), ())
    drawn = space.configuration_space.get_default_configuration()
    chosen = dict(drawn) | {
        "level3:motif1:edge_0_1": "motif1",
        "level3:motif1:edge_1_2": "motif1",
        "level2:motif1:edge_0_1": "motif1",
        "level1:motif1:edge_0_1": "conv",
    }
    labels = [
        node.operation
        for node in space.architecture(configuration(space.configuration_space, chosen))
        .canonical()
        .nodes
    ]
    assert labels.count("conv") == 2


def test_a_motif_of_ones_own() -> None:
    class Wide(nn.Conv2d):
        def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
            super().__init__(channels_in, channels_out, 7, stride, 3)

    part = Choice(alternatives({"wide": Wide, "pass": operations.identity}, width=8, stride=2))
    space = HierarchicalSpace(Chain({"first": part, "second": part}))
    for drawn in sample(space.configuration_space, 4, np.random.default_rng(0)):
        assert space.build(drawn, (1, 9, 9), 3)(torch.zeros(2, 1, 9, 9)).shape == (2, 3)


def test_a_label_has_one_meaning() -> None:
    draft = Draft(4)
    draft.add(Custom("mine", operations.relu_conv_bn(3)), 0)
    with pytest.raises(SpaceError, match="two different layers are called 'mine'"):
        draft.add(Custom("mine", operations.relu_conv_bn(5)), 0)
    with pytest.raises(SpaceError, match="cannot be called 'concat'"):
        Custom("concat", operations.relu_conv_bn(5))


@pytest.mark.parametrize("pixels", [1, 2, 7])
def test_tiny_images_fit_every_network(pixels: int) -> None:
    space = HierarchicalSpace(
        Choice({"valid": Fixed((Pool("max", 3, 2, padded=False),)), "same": Fixed((Pool("max"),))}),
        (Convolution(4, (7, 7), 2, padded=False),),
    )
    for drawn in sample(space.configuration_space, 3, np.random.default_rng(0)):
        network = space.build(drawn, (2, pixels, pixels), 3)
        assert network(torch.zeros(2, 2, pixels, pixels)).shape == (2, 3)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Repeat(EDGE, -1, 2), "from 0 up"),
        (lambda: Repeat(EDGE, 3, 2), "ascend"),
        (lambda: Graph(EDGE, 1), "at least 2 nodes"),
        (lambda: Choice({}), "no alternatives"),
        (lambda: Library({"none": operations.zero}), "no valid architecture"),
        (lambda: Library(levels=(Level(2, 3),)), "exactly 1 motif"),
        (lambda: HierarchicalSpace(Fixed((Convolution(4),))), "nothing to search"),
        (lambda: HierarchicalSpace(EDGE, dropout=1.0), "probability"),
        (lambda: Draft(4).sum(), "equal channels"),
        (lambda: Scope(Declared()).categorical("a", []), "nothing to choose"),
        (lambda: Scope(Declared()).integer("depth", -1, 3), "from 0 up"),
        (lambda: Stage({}, (1, 1)), "no family"),
    ],
)
def test_impossible_spaces_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(SpaceError, match=message):
        make()


def test_a_hundred_choices_are_sampled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    space = zoo.space().configuration_space
    assert len(space) >= 100
    draws = []
    own = ConfigurationSpace.sample_configuration

    def counted(self: ConfigurationSpace, size: int) -> list[Configuration]:
        draws.append(size)
        return own(self, size)

    monkeypatch.setattr(ConfigurationSpace, "sample_configuration", counted)
    assert len(sample(space, 1000, np.random.default_rng(0))) == 1000
    assert draws == [1000]  # no rejection; benchmarks/sampling.py measures the time
