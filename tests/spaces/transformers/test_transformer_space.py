from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration

from spaces import encoding
from spaces.architecture.architecture import Architecture
from spaces.display.html import space_html
from spaces.space import Space, SpaceError, configuration, sample
from spaces.transformers.inputs import Patches, Tokens
from spaces.transformers.transformer_space import TransformerSpace
from tests.spaces.contract import SpaceContract

VOCABULARY = 11
LENGTH = 12


def tokens(batch: int, length: int = LENGTH) -> torch.Tensor:
    return torch.randint(VOCABULARY, (batch, length))


class TestImages(SpaceContract):
    input_shape = (3, 16, 16)
    builds = 8

    @staticmethod
    def make_space() -> Space:
        return TransformerSpace(Patches(4, class_token=True), widths=(16, 32))


class TestSignals(SpaceContract):
    input_shape = (2, 40)
    builds = 8

    @staticmethod
    def make_space() -> Space:
        return TransformerSpace(
            Patches(8), widths=(16, 32), windows=(0, 2, 3), positions=("learned", "rotary")
        )


class TestSequences(SpaceContract):
    input_shape = (LENGTH,)
    builds = 8

    @staticmethod
    def make_space() -> Space:
        return TransformerSpace(
            Tokens(VOCABULARY, LENGTH),
            widths=(16, 24),
            heads=(2, 4),
            ratios=(1, 1.5, 2),
            norms=("pre", "post"),
            dropout=0.1,
        )

    def inputs(self, batch: int) -> torch.Tensor:
        return tokens(batch)


class TestNextTokens(TestSequences):
    outputs = VOCABULARY

    @staticmethod
    def make_space() -> Space:
        return causal()

    def logits_shape(self, batch: int) -> tuple[int, ...]:
        return (batch, self.outputs, LENGTH)


def causal(**settings: object) -> TransformerSpace:
    """Return a space in which every setting is a choice."""
    every: dict[str, object] = {
        "widths": (8, 16),
        "depth": (1, 3),
        "heads": (2, 4),
        "ratios": (1, 2, 4),
        "shared_by": (1, 2),
        "windows": (0, 3, 5),
        "norms": ("pre", "post"),
        "activations": ("gelu", "relu", "swish"),
        "positions": ("learned", "rotary"),
        "biases": (True, False),
        "causal": True,
    }
    return TransformerSpace(Tokens(VOCABULARY, 20), **{**every, **settings})  # type: ignore[arg-type]


def test_no_token_depends_on_a_later_one() -> None:
    space = causal()
    torch.manual_seed(0)
    for drawn in sample(space.configuration_space, 60, np.random.default_rng(0)):
        network = space.build(drawn, (LENGTH,), VOCABULARY).eval()
        one = tokens(2)
        other = one.clone()
        other[:, 6] = (other[:, 6] + 1) % VOCABULARY
        with torch.no_grad():
            changes = (network(one) - network(other)).abs().amax((0, 1))
        assert changes[:6].max() == 0
        assert changes[6] > 0


def test_absent_layers_have_no_hyperparameters() -> None:
    for drawn in sample(causal().configuration_space, 50, np.random.default_rng(0)):
        layers = {int(m[1]) for name in drawn if (m := re.match(r"layer(\d):", name))}
        assert layers == set(range(1, drawn["depth"] + 1))


def test_a_single_value_is_no_choice() -> None:
    space = TransformerSpace(Patches(4), widths=(16,), depth=(2, 2), heads=(2,))
    assert set(space.configuration_space) == {"depth", "layer1:ratio", "layer2:ratio"}
    one = TransformerSpace(Patches(4), widths=(16,), depth=(2, 2), heads=(2,), ratios=(4,))
    assert dict(one.configuration_space.get_default_configuration()) == {"depth": 2}


SMALL = TransformerSpace(Tokens(VOCABULARY, LENGTH), widths=(16, 32), depth=(1, 4), heads=(2, 4))


def chosen(space: TransformerSpace, width: int, depth: int, **layer: object) -> Configuration:
    """Return the network of equal layers."""
    values: dict[str, object] = {"width": width, "depth": depth}
    for number in range(1, depth + 1):
        values |= {f"layer{number}:{name}": value for name, value in layer.items()}
    return configuration(space.configuration_space, values)


def test_the_parameters_of_a_smaller_network_are_leading_slices_of_a_larger_one() -> None:
    large = SMALL.build(chosen(SMALL, 32, 4, heads=4, ratio=4), (LENGTH,), 5).state_dict()
    assert "blocks.3.attention.query.weight" in large
    for drawn in sample(SMALL.configuration_space, 30, np.random.default_rng(0)):
        for name, tensor in SMALL.build(drawn, (LENGTH,), 5).state_dict().items():
            assert tensor.ndim == large[name].ndim
            assert all(a <= b for a, b in zip(tensor.shape, large[name].shape, strict=True))


def test_the_graph_shows_the_whole_network() -> None:
    graph = SMALL.architecture(chosen(SMALL, 16, 1, heads=2, ratio=4))
    assert [node.operation for node in graph.canonical().nodes] == [
        "input",
        "embedding 11 16 positions 12",
        "layer norm",
        "attention 2x8",
        "residual",
        "layer norm",
        "linear 64 gelu",
        "linear 16",
        "residual",
        "layer norm",
        "output",
    ]


def test_every_choice_changes_the_graph_and_its_key() -> None:
    space = causal(depth=(1, 1))
    rng = np.random.default_rng(0)
    base = sample(space.configuration_space, 1, rng)[0]
    keys = {space.architecture(base).key}
    for name, hyperparameter in space.configuration_space.items():
        others = [v for v in _legal(hyperparameter) if v != base[name]]
        for value in others:
            changed = configuration(space.configuration_space, {**base, name: value})
            keys.add(space.architecture(changed).key)
    assert len(keys) == 1 + sum(len(_legal(h)) - 1 for h in space.configuration_space.values())


def _legal(hyperparameter: object) -> tuple[object, ...]:
    options = getattr(hyperparameter, "choices", None) or getattr(hyperparameter, "sequence", ())
    return tuple(options)


def test_placements_of_the_normalisation_are_different_graphs() -> None:
    def drawn(norm: str) -> Architecture:
        space = causal(depth=(1, 1), norms=(norm,), windows=(0,), positions=("rotary",))
        values = {"width": 16, "depth": 1, "bias": True, "layer1:activation": "relu"}
        values |= {"layer1:heads": 2, "layer1:shared_by": 1, "layer1:ratio": 2}
        return space.architecture(configuration(space.configuration_space, values))

    pre, post = drawn("pre").canonical(), drawn("post").canonical()
    assert pre.key != post.key
    assert [node.operation for node in post.nodes][-4:] != [n.operation for n in pre.nodes][-4:]


def test_it_is_encoded_and_shown() -> None:
    space = causal()
    drawn = sample(space.configuration_space, 5, np.random.default_rng(0))
    rows = encoding.Encoder(space).encode(drawn) if hasattr(encoding, "Encoder") else None
    assert rows is not None
    assert "layer1" in space_html(space)
    assert "<svg" in space.architecture(drawn[0])._repr_svg_()


@pytest.mark.slow
def test_a_thousand_networks_build_on_the_meta_device() -> None:
    space = causal()
    with torch.device("meta"):
        for drawn in sample(space.configuration_space, 1000, np.random.default_rng(0)):
            space.build(drawn, (LENGTH,), VOCABULARY)


IMAGES = TransformerSpace(Patches(4), widths=(16, 32))


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: TransformerSpace(Patches(4), widths=(64, 100), heads=(3,)), "3 heads do not div"),
        (lambda: TransformerSpace(Patches(4), heads=(4,), shared_by=(3,)), "in groups of 3"),
        (lambda: TransformerSpace(Patches(4), widths=()), "the widths are"),
        (lambda: TransformerSpace(Patches(4), heads=(4, 2)), "ascending"),
        (lambda: TransformerSpace(Patches(4), norms=("middle",)), "among pre, post"),  # type: ignore[arg-type]
        (lambda: TransformerSpace(Patches(4), activations=()), "among gelu, relu, swish"),
        (lambda: TransformerSpace(Patches(4), windows=(-1,)), "the windows are"),
        (lambda: TransformerSpace(Patches(4), windows=(3, 3)), "different numbers"),
        (lambda: TransformerSpace(Patches(4), head_width=0), "at least 1 wide"),
        (lambda: TransformerSpace(Patches(4), ratios=(0.001, 1)), "leaves no hidden unit"),
        (lambda: TransformerSpace(Patches(4), biases=()), "the biases"),
        (lambda: TransformerSpace(Patches(4), depth=(0, 2)), "at least 1"),
        (lambda: TransformerSpace(Patches(4), dropout=1.0), "below 1"),
        (lambda: TransformerSpace(Patches(4), causal=True), "predicts next tokens"),
        (lambda: TransformerSpace(Patches(4, class_token=True), windows=(3,)), "class token"),
        (
            lambda: TransformerSpace(Patches(4), widths=(9,), heads=(3,), positions=("rotary",)),
            "a head has 3",
        ),
        (lambda: Patches(0), "at least 1 pixel"),
        (lambda: Tokens(0, 3), "give numbers from 1"),
    ],
)
def test_what_cannot_be_is_refused(make: Callable[[], object], complaint: str) -> None:
    with pytest.raises(SpaceError, match=complaint):
        make()


def built(space: TransformerSpace, shape: tuple[int, ...], outputs: int = VOCABULARY) -> object:
    return space.build(space.configuration_space.get_default_configuration(), shape, outputs)


def test_a_patch_that_does_not_divide_the_image_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"patches of 4 do not divide .*\(3, 16, 18\).*16 and 18"):
        built(IMAGES, (3, 16, 18))
    assert built(IMAGES, (3, 16, 20))


def test_inputs_of_another_kind_are_refused() -> None:
    with pytest.raises(SpaceError, match="choose Tokens"):
        built(IMAGES, (12,))
    with pytest.raises(SpaceError, match="choose Patches"):
        built(SMALL, (3, 16, 16))


def test_a_sequence_longer_than_the_positions_is_refused() -> None:
    with pytest.raises(SpaceError, match=r"13 tokens are longer than the 12 .*length=13"):
        built(SMALL, (13,))
    network = SMALL.build(chosen(SMALL, 16, 1, heads=2, ratio=1), (LENGTH,), 3)
    assert network(tokens(2, 3)).shape == (2, 3)
    with pytest.raises(ValueError, match=r"13 tokens is longer than the 12 learned positions"):
        network(tokens(2, 13))


def test_rotary_positions_read_sequences_of_any_length() -> None:
    space = TransformerSpace(Tokens(VOCABULARY, 4), heads=(2, 4), positions=("rotary",))
    network = space.build(space.configuration_space.get_default_configuration(), (LENGTH,), 3)
    assert network(tokens(2, 50)).shape == (2, 3)


def test_a_tied_head_has_one_output_per_token() -> None:
    with pytest.raises(SpaceError, match=r"of 11 tokens, but 7 outputs: .*tied=False"):
        built(causal(), (LENGTH,), 7)
    assert built(causal(tied=False), (LENGTH,), 7)
