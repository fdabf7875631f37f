from __future__ import annotations

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration
from torch import nn

from spaces.motifs.families import Family
from spaces.resources.resources import count_resources
from spaces.sequences.layers import CAUSAL, MIXERS
from spaces.sequences.modules import Attend, Embed, TokenNetwork
from spaces.sequences.sequence_space import NextTokenSpace, SequenceSpace
from spaces.space import Space, SpaceError, configuration, sample
from tests.spaces.contract import SpaceContract

VOCABULARY = 11
LENGTH = 12


def tokens(batch: int, length: int = LENGTH) -> torch.Tensor:
    return torch.randint(VOCABULARY, (batch, length))


class TestSequences(SpaceContract):
    input_shape = (LENGTH,)
    builds = 8

    @staticmethod
    def make_space() -> Space:
        return SequenceSpace(VOCABULARY, widths=(4, 8))

    def inputs(self, batch: int) -> torch.Tensor:
        return tokens(batch)


class TestNextToken(TestSequences):
    outputs = VOCABULARY

    @staticmethod
    def make_space() -> Space:
        return NextTokenSpace(VOCABULARY, widths=(4, 8))

    def logits_shape(self, batch: int) -> tuple[int, ...]:
        return (batch, self.outputs, LENGTH)


def chosen(space: SequenceSpace, mixer: str, width: int = 8, **own: int) -> Configuration:
    """Return the network of one block."""
    values: dict[str, object] = {"embedding:width": width, "blocks:depth": 1}
    values["blocks:block1:tokens:mixer"] = mixer
    values |= {f"blocks:block1:tokens:{mixer}:{name}": value for name, value in own.items()}
    values["blocks:block1:feed_forward:expansion"] = 2
    values["blocks:block1:feed_forward:dropout"] = 0.0
    return configuration(space.configuration_space, values)


OWN = {"convolution": {"kernel": 7}, "attention": {"heads": 2}, "gru": {}}
OWN |= {f"causal_{name}": OWN[name] for name in ("convolution", "attention")}
SEQUENCES = SequenceSpace(VOCABULARY, widths=(4, 8))
NEXT = NextTokenSpace(VOCABULARY, widths=(4, 8))


def first_change(network: nn.Module, changed: int) -> int:
    """Return the first position whose logits depend on one token."""
    one = tokens(1)
    other = one.clone()
    other[0, changed] = (other[0, changed] + 1) % VOCABULARY
    with torch.no_grad():
        differences = (network(one) - network(other)).abs().amax(1)[0]
    return int(torch.nonzero(differences > 1e-6)[0])


@pytest.mark.parametrize("mixer", CAUSAL)
@pytest.mark.parametrize("changed", [0, 5, LENGTH - 1])
def test_no_token_depends_on_a_later_one(mixer: str, changed: int) -> None:
    torch.manual_seed(0)
    network = NEXT.build(chosen(NEXT, mixer, **OWN[mixer]), (LENGTH,), VOCABULARY).eval()
    assert first_change(network, changed) == changed


def test_no_network_of_the_space_sees_later_tokens() -> None:
    torch.manual_seed(0)
    for drawn in sample(NEXT.configuration_space, 20, np.random.default_rng(0)):
        network = NEXT.build(drawn, (LENGTH,), VOCABULARY).eval()
        assert first_change(network, 6) == 6


def test_a_causal_block_reads_earlier_tokens() -> None:
    torch.manual_seed(0)
    for mixer in CAUSAL:
        network = NEXT.build(chosen(NEXT, mixer, **OWN[mixer]), (LENGTH,), 3).eval()
        one = tokens(1)
        other = one.clone()
        other[0, 3] = (other[0, 3] + 1) % VOCABULARY
        with torch.no_grad():
            assert not torch.allclose(network(one)[:, :, 5], network(other)[:, :, 5])


@pytest.mark.parametrize("mixer", ["convolution", "attention"])
def test_blocks_that_see_later_tokens_cannot_predict_them(mixer: str) -> None:
    space = NextTokenSpace(VOCABULARY, widths=(4, 8), mixers=MIXERS)
    drawn = chosen(space, mixer, **OWN[mixer])
    with pytest.raises(SpaceError, match=r"reads later tokens.*choose among causal_convolution"):
        space.build(drawn, (LENGTH,), VOCABULARY)


@pytest.mark.parametrize("mixer", MIXERS)
def test_the_order_of_tokens_matters(mixer: str) -> None:
    torch.manual_seed(0)
    network = SEQUENCES.build(chosen(SEQUENCES, mixer, **OWN[mixer]), (LENGTH,), 3).eval()
    one = torch.arange(VOCABULARY)[None]
    with torch.no_grad():
        assert not torch.allclose(network(one), network(one.flip(1)), atol=1e-4)


def test_the_graph_shows_the_whole_network() -> None:
    graph = SEQUENCES.architecture(chosen(SEQUENCES, "attention", heads=2)).canonical()
    assert [node.operation for node in graph.nodes] == [
        "input",
        "embedding 11 8",
        "layer norm",
        "attention 2",
        "layer norm",
        "linear 16 gelu",
        "linear 8",
        "layer norm",
        "output",
    ]
    own = {mixer: chosen(SEQUENCES, mixer, **OWN[mixer]) for mixer in MIXERS}
    assert len({SEQUENCES.architecture(drawn).key for drawn in own.values()}) == len(MIXERS)


def test_a_network_reads_sequences_of_other_lengths() -> None:
    torch.manual_seed(0)
    network = NEXT.build(chosen(NEXT, "causal_attention", heads=4), (LENGTH,), 5).eval()
    long = tokens(2, 20)
    with torch.no_grad():
        torch.testing.assert_close(network(long)[:, :, :7], network(long[:, :7]))


def test_positions_are_sines_and_cosines() -> None:
    embed = Embed(3, 5)
    nn.init.zeros_(embed.tokens.weight)
    waves = embed(torch.zeros(1, 4, dtype=torch.int64))[0].detach()
    for position in range(4):
        for pair in range(3):
            angle = torch.tensor(position / 10_000 ** (2 * pair / 5))
            assert float(waves[position, 2 * pair]) == pytest.approx(float(angle.sin()), abs=1e-6)
            if 2 * pair + 1 < 5:
                expected = pytest.approx(float(angle.cos()), abs=1e-6)
                assert float(waves[position, 2 * pair + 1]) == expected


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_that_of_torch(causal: bool) -> None:
    torch.manual_seed(0)
    ours, theirs = Attend(8, 2, causal=causal), nn.MultiheadAttention(8, 2, batch_first=True)
    theirs.in_proj_weight.data, theirs.in_proj_bias.data = ours.read.weight, ours.read.bias
    theirs.out_proj.load_state_dict(ours.write.state_dict())
    x = torch.randn(3, 6, 8)
    mask = nn.Transformer.generate_square_subsequent_mask(6) if causal else None
    torch.testing.assert_close(ours(x), theirs(x, x, x, attn_mask=mask)[0])


def test_resources_by_hand() -> None:
    width, hidden, length = 8, 16, LENGTH
    feed = 2 * width * hidden * length
    expected = {
        "convolution": 7 * width * width * length,
        "attention": (3 + 1) * width * width * length + 2 * width * length * length,
        "gru": 2 * 3 * width * width * length,
    }
    for mixer, mixed in expected.items():
        network = SEQUENCES.build(chosen(SEQUENCES, mixer, **OWN[mixer]), (length,), 3)
        counted = count_resources(network, (length,))
        assert counted.multiply_adds == mixed + feed + width * 3
        assert counted.parameters == sum(p.numel() for p in network.parameters())


def test_a_network_says_that_it_reads_tokens() -> None:
    network = NEXT.build(chosen(NEXT, "gru"), (LENGTH,), VOCABULARY)
    assert isinstance(network, TokenNetwork)
    assert network.input_dtype == torch.int64


def test_a_head_never_divides_a_width_into_unequal_parts() -> None:
    space = SequenceSpace(VOCABULARY, widths=(6,))
    values = dict(chosen(SEQUENCES, "attention", heads=4))
    del values["embedding:width"]
    drawn = configuration(space.configuration_space, values)
    labels = [node.operation for node in space.architecture(drawn).canonical().nodes]
    assert "attention 2" in labels
    assert space.build(drawn, (LENGTH,), 3)(tokens(2)).shape == (2, 3)


def test_mixers_of_ones_own() -> None:
    own: dict[str, Family] = {
        "small": MIXERS["gru"],
        "wide": Family(MIXERS["convolution"].make, {"kernel": (31,)}),
    }
    space = SequenceSpace(VOCABULARY, (4,), (1, 2), own)
    for drawn in sample(space.configuration_space, 5, np.random.default_rng(0)):
        assert space.build(drawn, (LENGTH,), 3)(tokens(2)).shape == (2, 3)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: SequenceSpace(0), "at least 1 token"),
        (lambda: SequenceSpace(5, widths=()), "the widths are"),
        (lambda: SequenceSpace(5, widths=(8, 4)), "ascending"),
        (lambda: SequenceSpace(5, depth=(0, 2)), "at least 1 block"),
        (lambda: SequenceSpace(5, depth=(3, 2)), "bounds ascend"),
        (lambda: SequenceSpace(5, mixers={}), "no alternatives"),
        (lambda: SequenceSpace(5, expansions=(0, 1)), "the expansions are"),
        (lambda: SequenceSpace(5, dropouts=(0.5, 1.0)), "below 1"),
    ],
)
def test_what_cannot_be_is_refused(make: object, complaint: str) -> None:
    assert callable(make)
    with pytest.raises(SpaceError, match=complaint):
        make()


def test_inputs_that_are_no_tokens_are_refused() -> None:
    drawn = chosen(NEXT, "gru")
    with pytest.raises(SpaceError, match=r"NextTokenSpace reads .*not inputs of shape \(1, 40\)"):
        NEXT.build(drawn, (1, 40), 3)
