from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from ConfigSpace import (
    Categorical,
    Configuration,
    ConfigurationSpace,
    GreaterThanCondition,
    Integer,
    OrdinalHyperparameter,
)
from torch import Tensor, nn

from spaces.architecture.architecture import Architecture, chain
from spaces.cells.cell import CellSpace
from spaces.cells.darts import darts
from spaces.cells.node_cell import nasbench101
from spaces.hierarchical.encoder_decoder import EncoderDecoderSpace
from spaces.hierarchical.liu2018 import Level, Library, Stacked
from spaces.hierarchical.macro_space import MacroSpace
from spaces.hierarchical.space import HierarchicalSpace
from spaces.hierarchical.stage_space import StageSpace
from spaces.hyperparameter_space import HyperparameterSpace
from spaces.joint import JointSpace
from spaces.motifs import families
from spaces.motifs.families import Family
from spaces.perceptrons import Perceptrons
from spaces.sequences.sequence_space import NextTokenSpace, SequenceSpace
from spaces.space import InputShape, Space, SpaceError, configuration, sample
from spaces.tabular.residual_perceptrons import ResidualPerceptrons
from spaces.weight_sharing import ElasticSupernet, Supernet, supernet
from spaces.weight_sharing.weights import weights

IMAGE = (2, 8, 8)


class OwnNetworks:
    """A space by a user: depth, width, kernel and groups, in modules of one's own."""

    def __init__(self) -> None:
        self.configuration_space = ConfigurationSpace()
        depth = Integer("depth", (0, 3))
        kernels = [OrdinalHyperparameter(f"kernel{i}", [1, 3, 5]) for i in range(3)]
        width = OrdinalHyperparameter("width", [4, 8])
        kind = Categorical("kind", ["full", "grouped", "depthwise"])
        self.configuration_space.add(depth, width, kind, *kernels)
        self.configuration_space.add(
            [GreaterThanCondition(k, depth, i) for i, k in enumerate(kernels)]
        )

    def architecture(self, configuration: Configuration) -> Architecture:
        return chain([str(dict(configuration))])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        class Network(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                width = int(configuration["width"])
                groups = {"full": 1, "grouped": width // 4, "depthwise": width}
                self.stem = nn.Conv2d(input_shape[0], width, 1)
                self.blocks = nn.ModuleList()
                for block in range(int(configuration["depth"])):
                    size, group = (
                        int(configuration[f"kernel{block}"]),
                        groups[configuration["kind"]],
                    )
                    layer = nn.Conv2d(width, width, size, padding=size // 2, groups=group)
                    self.blocks.append(nn.Sequential(nn.ReLU(), layer, nn.BatchNorm2d(width)))
                self.scale = nn.Parameter(torch.ones(()))
                self.head = nn.Linear(width, outputs)

            def forward(self, x: Tensor) -> Tensor:
                x = self.stem(x)
                for block in self.blocks:
                    x = x + self.scale * block(x)
                result: Tensor = self.head(x.mean((2, 3)))
                return result

        return Network()


NARROW = {"width": (4, 8), "stride": (1, 2)}
SPACES: dict[str, tuple[Space, InputShape]] = {
    "macro": (MacroSpace.small(widths=(2, 4), stages=2), IMAGE),
    "macro of signals": (MacroSpace.small(widths=(2, 4), stages=2), (2, 12)),
    "stages": (
        StageSpace(
            {
                "basic": Family(families.basic, NARROW, {"kernel": (3, 5)}),
                "aggregated": Family(
                    families.aggregated,
                    {**NARROW, "expansion": (1, 2), "cardinality": (2, 4), "group_width": (1, 2)},
                    {"kernel": (3, 5)},
                ),
            },
            {"small": Family(families.plain, {"width": (4, 8), "stride": (1,)}, {"kernel": (3,)})},
            stages=(1, 2),
            depth=(1, 2),
            dropout=0.2,
            auxiliary=True,
        ),
        IMAGE,
    ),
    "perceptrons": (Perceptrons(widths=(4, 8)), (5,)),
    "residual perceptrons": (ResidualPerceptrons((1, 3), (4, 8)), (5,)),
    "sequences": (SequenceSpace(9, (4, 8), (1, 2)), (7,)),
    "next tokens": (NextTokenSpace(9, (4, 8), (1, 2)), (7,)),
    "encoder and decoder": (EncoderDecoderSpace((2, 4), (1, 2)), IMAGE),
    "node cells": (nasbench101(channels=4, cells=1), IMAGE),
    "darts": (darts(channels=2, cells=3), IMAGE),
    "motifs": (
        HierarchicalSpace(Stacked(Library(levels=(Level(2, 3), Level(1, 3))), (2, 4)), ()),
        IMAGE,
    ),
    "own": (OwnNetworks(), IMAGE),
}


@pytest.fixture(scope="module")
def supernets() -> dict[str, ElasticSupernet]:
    return {}


def shared_by(name: str, supernets: dict[str, ElasticSupernet]) -> ElasticSupernet:
    """The supernet of a space, made once."""
    if name not in supernets:
        torch.manual_seed(0)
        space, shape = SPACES[name]
        made = supernet(space, shape, 3)
        assert isinstance(made, ElasticSupernet)
        supernets[name] = made
    return supernets[name]


def drawn(space: Space, count: int, seed: int = 0) -> list[Configuration]:
    found = sample(space.configuration_space, 2 * count, np.random.default_rng(seed))
    return [one for one in found if space.architecture(one).connected][:count]


def batch(name: str) -> Tensor:
    space, shape = SPACES[name]
    generator = torch.Generator().manual_seed(0)
    if isinstance(space, SequenceSpace):
        return torch.randint(0, space.vocabulary, (4, *shape), generator=generator)
    return torch.randn(4, *shape, generator=generator)


def chosen(space: Space, values: Mapping[str, Any]) -> Configuration:
    return configuration(space.configuration_space, values)


@pytest.mark.parametrize("name", SPACES)
class TestEverySpace:
    def test_a_path_is_the_network_that_the_space_builds(
        self, name: str, supernets: dict[str, ElasticSupernet]
    ) -> None:
        (space, shape), shared, inputs = SPACES[name], shared_by(name, supernets), batch(name)
        for one in drawn(space, 6):
            network = space.build(one, shape, 3)
            network.load_state_dict(shared.stand_alone(one))
            for train in (False, True):
                outputs = []
                for run in (network.train(train), shared.train(train)):
                    torch.manual_seed(0)  # for dropout
                    outputs.append(run(inputs) if run is network else shared.path(inputs, one))
                torch.testing.assert_close(*outputs, rtol=1e-5, atol=1e-5)

    def test_weights_are_found_for_networks_that_were_not_tried(
        self, name: str, supernets: dict[str, ElasticSupernet]
    ) -> None:
        (space, shape), shared = SPACES[name], shared_by(name, supernets).shared
        for one in drawn(space, 10, seed=1):
            found = list(weights(space.build(one, shape, 3)))
            assert len({weight.key for weight in found}) == len(found)
            assert all(weight.key in shared for weight in found)
            assert all(weight.covered(shared[weight.key].shape) for weight in found)

    def test_gradients_reach_its_weights_alone(
        self, name: str, supernets: dict[str, ElasticSupernet]
    ) -> None:
        (space, shape), shared = SPACES[name], shared_by(name, supernets).train()
        one = drawn(space, 1)[0]
        network = space.build(one, shape, 3)
        network.train()(batch(name)).square().sum().backward()
        own = {weight.key for weight in weights(network) if weight.tensor.grad is not None}
        shared.zero_grad()
        shared.path(batch(name), one).square().sum().backward()
        assert {key for key, tensor in shared.shared.items() if tensor.grad is not None} == own


class TestSharing:
    def test_a_shallower_network_lacks_layers(self) -> None:
        space = Perceptrons(depth=3, widths=(4, 8))
        torch.manual_seed(0)
        shared = supernet(space, (5,), 3)
        deep = {"activation": "relu", "depth": 3, "width_0": 8, "width_1": 8, "width_2": 8}
        shallow = {"activation": "relu", "depth": 1, "width_0": 4}
        whole = shared.stand_alone(chosen(space, deep))
        part = shared.stand_alone(chosen(space, shallow))
        assert torch.equal(part["1.weight"], whole["1.weight"][:4])
        assert torch.equal(part["3.weight"], whole["7.weight"][:, :4])
        assert torch.equal(part["3.bias"], whole["7.bias"])

    def test_blocks_keep_their_weights_when_another_stage_changes(self) -> None:
        space = MacroSpace.small(widths=(2, 4), stages=2)
        torch.manual_seed(0)
        shared = supernet(space, IMAGE, 3)
        one = {
            "stem:plain:width": 4,
            "stage1:depth": 1,
            "stage1:family": "basic",
            "stage1:basic:width": 4,
            "stage1:basic:block1:kernel": 5,
            "stage2:depth": 1,
            "stage2:family": "plain",
            "stage2:plain:width": 8,
            "stage2:plain:block1:kernel": 3,
        }
        deeper = {**one, "stage1:depth": 2, "stage1:basic:block2:kernel": 3}
        # A narrower stem needs a shortcut in the first block, which renumbers the others.
        renumbered = {**one, "stem:plain:width": 2}

        def named(values: Mapping[str, Any]) -> dict[str, Tensor]:
            network = space.build(chosen(space, values), IMAGE, 3)
            network.load_state_dict(shared.stand_alone(chosen(space, values)))
            return {weight.key: weight.tensor for weight in weights(network)}

        first = named(one)
        for other in (named(deeper), named(renumbered)):
            assert first.keys() < other.keys()
            for key, tensor in first.items():
                window = tuple(map(slice, other[key].shape))
                assert torch.equal(other[key], tensor[window]), key

    def test_equal_layers_on_different_edges_keep_their_weights_apart(self) -> None:
        shared = shared_by("motifs", {})
        edges = {key.split("/")[2] for key in shared.shared if "edge" in key}
        assert len(edges) > 10

    def test_the_sizes_are_the_largest_ones(self) -> None:
        shared = shared_by("own", {}).shared
        sizes = {key: tuple(tensor.shape) for key, tensor in shared.items()}
        assert sizes["blocks/2/1/weight (Conv2d 4d)"] == (8, 8, 5, 5)
        # With one group a convolution of width 4 is full.
        assert sizes["blocks/2/1/weight (Conv2d 4d groups of 4 to 4)"] == (8, 4, 5, 5)
        assert sizes["blocks/2/1/weight (Conv2d 4d groups of 1 to 1)"] == (8, 1, 5, 5)
        assert sizes["head/weight (Linear 2d)"] == (3, 8)


class TestInitialisation:
    def test_it_comes_from_the_seed_of_torch(self) -> None:
        space, shape = SPACES["own"]
        states = []
        for seed in (0, 0, 1):
            torch.manual_seed(seed)
            states.append(supernet(space, shape, 3).state_dict())
        first, again, other = states
        assert list(first) == list(again) == list(other)
        assert all(torch.equal(first[key], again[key]) for key in first)
        assert any(not torch.equal(first[key], other[key]) for key in first)

    def test_a_size_that_no_network_has_is_filled_with_values_of_the_largest(self) -> None:
        class Crossed:
            """Linear layers of 8 to 2 or 2 to 8 features."""

            configuration_space = ConfigurationSpace({"wide": ["in", "out"]})

            def architecture(self, configuration: Configuration) -> Architecture:
                return chain([str(configuration["wide"])])

            def build(
                self, configuration: Configuration, input_shape: InputShape, outputs: int
            ) -> nn.Module:
                sizes = (8, 2) if configuration["wide"] == "in" else (2, 8)
                return nn.Linear(*sizes)

        shared = ElasticSupernet(Crossed(), (8,), 2).shared["weight (Linear 2d)"]
        assert shared.shape == (8, 8)
        assert len(shared.unique()) == 16
        assert (shared[:, :2].unique().numel() == 16) != (shared[:2].unique().numel() == 16)

    def test_random_states_are_left_as_they_were(self) -> None:
        shared = shared_by("own", {})
        space, _ = SPACES["own"]
        torch.manual_seed(3)
        state = torch.get_rng_state()
        one = drawn(space, 1)[0]
        shared.stand_alone(one)
        shared.path(batch("own"), one)
        assert torch.equal(torch.get_rng_state(), state)

    def test_what_is_exported_is_a_copy(self) -> None:
        shared = shared_by("own", {})
        before = {name: value.clone() for name, value in shared.state_dict().items()}
        for value in shared.stand_alone(drawn(SPACES["own"][0], 1)[0]).values():
            value.zero_()
        assert all(torch.equal(value, before[key]) for key, value in shared.state_dict().items())


class TestChoiceOfSupernet:
    def test_cells_keep_the_supernet_of_their_operations(self) -> None:
        assert isinstance(supernet(CellSpace(channels=4, cells=1), IMAGE, 3), Supernet)

    def test_numbers_of_the_training_are_refused(self) -> None:
        joint = JointSpace(SPACES["macro"][0], ConfigurationSpace({"learning_rate": (0.01, 0.1)}))
        with pytest.raises(SpaceError, match=r"training:learning_rate .* fix them"):
            supernet(joint, IMAGE, 3)

    def test_a_space_without_networks_is_refused(self) -> None:
        plain: Any = HyperparameterSpace(ConfigurationSpace({"operation": ["a", "b"]}))
        with pytest.raises(SpaceError, match="HyperparameterSpace has no weight sharing"):
            supernet(plain, IMAGE, 3)
