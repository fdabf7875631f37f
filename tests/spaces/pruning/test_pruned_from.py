from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from ConfigSpace import Configuration
from torch import Tensor, nn

from spaces import PrunedFrom, count_resources
from spaces.pruning.attention import PrunedAttention
from spaces.space import InputShape, configuration, sample
from tests.spaces.contract import SpaceContract
from tests.spaces.pruning.networks import NETWORKS, Dense, ResNet, Transformer, made

KINDS = [*NETWORKS]
LINEAR_CHAINS = ("residual", "dense", "mobile", "u-net", "halved", "recurrent", "reused")
"""Kinds in which a channel that no layer reads has no effect: no norm or softmax mixes channels."""


class TestPrunedFrom(SpaceContract):
    input_shape: ClassVar[InputShape] = (3, 8, 8)

    @staticmethod
    def make_space() -> PrunedFrom:
        return PrunedFrom(*made("residual"))


class TestPrunedTransformer(SpaceContract):
    input_shape: ClassVar[InputShape] = (6,)

    @staticmethod
    def make_space() -> PrunedFrom:
        return PrunedFrom(*made("transformer"))

    def inputs(self, batch: int) -> Tensor:
        return torch.zeros(batch, 6, dtype=torch.int64)


def spaces_of(kinds: tuple[str, ...] | list[str]) -> Iterator[tuple[str, nn.Module, Tensor]]:
    for kind in kinds:
        yield (kind, *made(kind))


def built(space: PrunedFrom, chosen: Configuration) -> nn.Module:
    return space.build(chosen, space.input_shape, space.outputs)


def drawn(space: PrunedFrom, count: int) -> list[Configuration]:
    return sample(space.configuration_space, count, np.random.default_rng(0))


@pytest.mark.parametrize("kind", KINDS)
def test_the_full_size_is_the_given_network(kind: str) -> None:
    network, inputs = made(kind)
    space = PrunedFrom(network, inputs)
    full = built(space, space.configuration_space.get_default_configuration()).eval()
    assert torch.equal(full(inputs), network(inputs))
    assert {*full.state_dict()} == {*network.state_dict()}


@pytest.mark.parametrize("kind", KINDS)
def test_every_configuration_runs_and_learns(kind: str) -> None:
    network, inputs = made(kind)
    space = PrunedFrom(network, inputs)
    expected = network(inputs).shape
    for chosen in [*drawn(space, 10), space.uniform(0.0), space.uniform(0.5)]:
        small = built(space, chosen)
        outputs = small(inputs)
        assert outputs.shape == expected
        outputs.square().sum().backward()
        assert all(p.grad is not None for p in small.parameters())


@pytest.mark.parametrize("kind", LINEAR_CHAINS)
def test_it_computes_what_the_network_does_when_no_layer_reads_the_removed_channels(
    kind: str,
) -> None:
    network, inputs = made(kind)
    space = PrunedFrom(network, inputs)
    found = space._dependencies  # the channels, whose removal is simulated here
    rng, widths = np.random.default_rng(0), space.uniform(1.0)
    for _ in range(8):
        drawn_widths = {
            name: rng.choice(choice.sequence) if name.endswith("width") else "kept"
            for name in widths
            for choice in [space.configuration_space[name]]
        }
        chosen = configuration(space.configuration_space, drawn_widths)
        masked, removed = pickle.loads(pickle.dumps(network)), space._removed(chosen)
        for each in found.slices:
            reads = isinstance(masked.get_submodule(each.layer), nn.Linear | nn.Conv1d | nn.Conv2d)
            transposed = isinstance(masked.get_submodule(each.layer), nn.ConvTranspose2d)
            if each.dim == (0 if transposed else 1) and (reads or transposed):
                gone = torch.from_numpy(removed[each.ids])
                masked.get_parameter(each.tensor).data.movedim(each.dim, 0)[gone] = 0
        small = built(space, chosen).eval()
        torch.testing.assert_close(small(inputs), masked(inputs))


@pytest.mark.parametrize("kind", KINDS)
def test_different_choices_have_different_keys_and_graphs(kind: str) -> None:
    space = PrunedFrom(*made(kind))
    configurations = [*{*drawn(space, 30)}]
    keys = [space.key(c) for c in configurations]
    assert len({*keys}) == len(configurations)
    shapes = {
        tuple((n, tuple(p.shape)) for n, p in built(space, c).named_parameters())
        for c in configurations
    }
    assert len(shapes) == len(configurations)
    for chosen in configurations[:5]:
        assert space.architecture(chosen).connected


def test_choices_are_named_by_layers_and_numbers_of_channels() -> None:
    space = PrunedFrom(*made("residual")).configuration_space
    assert list(space["first.conv1.width"].sequence) == [2, 4, 6, 8]
    assert list(space["third.branch"].choices) == ["kept", "dropped"]
    heads = PrunedFrom(*made("transformer")).configuration_space
    assert list(heads["encoder.layers.1.self_attn.heads"].sequence) == [1, 2, 3, 4]


def test_sums_and_concatenations_and_depthwise_layers_share_their_widths() -> None:
    residual = PrunedFrom(*made("residual")).configuration_space
    assert {name for name in residual if name.endswith("width")} == {
        *("stem.width", "first.conv1.width", "second.conv1.width", "second.conv2.width"),
        "third.conv1.width",
    }
    dense = PrunedFrom(*made("dense")).configuration_space
    assert {*dense} == {"stem.width", "one.2.width", "two.2.width"}
    mobile = PrunedFrom(*made("mobile"))
    half = built(mobile, mobile.uniform(0.5))
    assert half.get_submodule("depthwise").groups == 8  # type: ignore[union-attr]
    assert half.get_submodule("depthwise").weight.shape == (16, 1, 3, 3)  # type: ignore[union-attr]


def test_a_dropped_branch_leaves_the_identity() -> None:
    network, inputs = made("residual")
    space = PrunedFrom(network, inputs)
    widths = {"stem.width": 8, "second.conv1.width": 16, "second.conv2.width": 16}
    without = {"first.branch": "dropped", "third.branch": "dropped"}
    small = built(space, configuration(space.configuration_space, {**widths, **without})).eval()
    assert not [name for name, _ in small.named_parameters() if name.startswith(("first", "third"))]
    assert isinstance(network, ResNet)
    x = network.second(F.relu(network.stem(inputs))).relu()
    expected = network.fc(F.adaptive_avg_pool2d(x, 1).flatten(1))
    torch.testing.assert_close(small(inputs), expected)
    assert "third.conv1.width" in space.configuration_space.conditional_hyperparameters


def test_the_most_important_channels_are_kept_and_slices_are_nested() -> None:
    network, inputs = made("dense")
    assert isinstance(network, Dense)
    with torch.no_grad():
        network.two[2].weight[torch.tensor([0, 2])] *= 100
        network.head.weight.zero_()
    space = PrunedFrom(network, inputs)
    chosen = {"stem.width": 8, "one.2.width": 4, "two.2.width": 2}
    small = built(space, configuration(space.configuration_space, chosen))
    kept = small.get_parameter("two.2.weight")
    assert torch.equal(kept, network.two[2].weight[torch.tensor([0, 2])])
    for ranking in space._ranked.values():
        assert len({*ranking}) == len(ranking)


def test_heads_go_as_a_whole() -> None:
    network, inputs = made("transformer")
    space = PrunedFrom(network, inputs)
    full = dict(space.configuration_space.get_default_configuration())
    name = "encoder.layers.0.self_attn"
    small = built(
        space, configuration(space.configuration_space, {**full, f"{name}.heads": 3})
    ).eval()
    attention = small.get_submodule(name)
    assert isinstance(attention, PrunedAttention)
    assert attention.in_proj_weight.shape == (3 * 12, 16)
    # The same as with a head whose values reach no output.
    assert isinstance(network, Transformer)
    gone = space._ranked[f"{name}.heads"][-1]
    rows = next(s for s in space._dependencies.slices if s.tensor == f"{name}.out_proj.weight")
    with torch.no_grad():
        weight = network.get_parameter(f"{name}.out_proj.weight")
        weight[:, torch.from_numpy(rows.ids == gone)] = 0
    torch.testing.assert_close(small(inputs), network(inputs))


def test_a_function_that_drops_out_does_so_in_training_only() -> None:
    network, inputs = made("residual")
    space = PrunedFrom(network, inputs)
    full = built(space, space.configuration_space.get_default_configuration())
    for module in full.modules():
        module.eval() if isinstance(module, nn.BatchNorm2d) else None
    assert not torch.equal(full(inputs), full(inputs))
    full.eval()
    assert torch.equal(full(inputs), full(inputs))


def test_later_changes_of_the_network_make_no_difference() -> None:
    network, inputs = made("dense")
    expected = network(inputs)
    space = PrunedFrom(network, inputs)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.zero_()
    full = built(space, space.configuration_space.get_default_configuration()).eval()
    assert torch.equal(full(inputs), expected)
    with torch.no_grad():
        full.get_parameter("head.bias").zero_()
    again = built(space, space.configuration_space.get_default_configuration()).eval()
    assert torch.equal(again(inputs), expected)


@pytest.mark.parametrize("kind", KINDS)
def test_another_process_builds_the_same_networks(kind: str) -> None:
    space = PrunedFrom(*made(kind))
    copied = pickle.loads(pickle.dumps(space))
    for chosen in drawn(space, 3):
        twin = configuration(copied.configuration_space, dict(chosen))
        assert copied.key(twin) == space.key(chosen)
        mine, other = built(space, chosen).state_dict(), built(copied, twin).state_dict()
        assert all(torch.equal(mine[name], other[name]) for name in {*mine, *other})


def test_networks_survive_pickle() -> None:
    space = PrunedFrom(*made("transformer"))
    small = built(space, space.uniform(0.5)).eval()
    copied = pickle.loads(pickle.dumps(small))
    assert torch.equal(copied(space.sample_input), small(space.sample_input))
    assert copied.input_dtype is torch.int64


def test_a_caller_on_the_meta_device_counts_resources() -> None:
    space = PrunedFrom(*made("residual"))
    with torch.device("meta"):
        small = pickle.loads(pickle.dumps(space)).build(space.uniform(0.5), (3, 8, 8), 10)
    assert {p.device.type for p in small.parameters()} == {"meta"}
    full = count_resources(space.network, (3, 8, 8))
    assert count_resources(small, (3, 8, 8)).multiply_adds < 0.4 * full.multiply_adds


def test_modules_to_keep_stay_as_they_are() -> None:
    network, inputs = made("residual")
    space = PrunedFrom(network, inputs, keep=("first", "stem"))
    names = {*space.configuration_space}
    assert names == {
        *("second.conv1.width", "second.conv2.width", "third.branch", "third.conv1.width")
    }
    assert space.fixed["first.conv1"] == "first.conv1.weight is among those to keep"


@pytest.mark.parametrize(
    ("kind", "layer", "reason"),
    [
        ("recurrent", "mix", "LSTM lstm has no rule for pruning"),
        ("reused", "a", "a.weight is used by several operations"),
        ("residual", "fc", "they are the outputs of the network"),
    ],
)
def test_it_says_why_channels_stay(kind: str, layer: str, reason: str) -> None:
    assert PrunedFrom(*made(kind)).fixed[layer] == reason
