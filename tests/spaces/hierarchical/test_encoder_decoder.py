import numpy as np
import pytest
import torch
from ConfigSpace import Configuration
from torch import nn

from spaces.hierarchical.encoder_decoder import SKIPS, EncoderDecoderSpace
from spaces.motifs.families import Family, plain
from spaces.resources.resources import count_resources
from spaces.space import Space, SpaceError, configuration, sample, values
from tests.spaces.contract import SpaceContract


class TestEncoderDecoder(SpaceContract):
    input_shape = (3, 28, 20)
    outputs = 4
    builds = 10

    @staticmethod
    def make_space() -> Space:
        return EncoderDecoderSpace(widths=(4, 8))

    def logits_shape(self, batch: int) -> tuple[int, ...]:
        return (batch, self.outputs, *self.input_shape[1:])


SPACE = EncoderDecoderSpace(widths=(4, 8), depth=(1, 3))


def chosen(*skips: str, width: int = 4) -> Configuration:
    """Return the network of one plain 3x3 convolution per stage."""
    values: dict[str, object] = {"depth": len(skips)}
    stages = {f"encoder{level}": level for level in range(1, len(skips) + 2)}
    stages |= {f"decoder{level}": level for level in range(1, len(skips) + 1)}
    for stage, level in stages.items():
        values |= {f"{stage}:family": "plain", f"{stage}:depth": 1}
        values |= {f"{stage}:plain:width": width * 2 ** (level - 1)}
        values |= {f"{stage}:plain:block1:kernel": 3}
    values |= {f"decoder{level}:skip": skip for level, skip in enumerate(skips, start=1)}
    return configuration(SPACE.configuration_space, values)


def labels(drawn: Configuration) -> list[str]:
    return [str(node.operation) for node in SPACE.architecture(drawn).canonical().nodes]


def test_the_graph_shows_the_whole_network() -> None:
    graph = SPACE.architecture(chosen("concatenate")).canonical()
    assert sorted(map(str, (node.operation for node in graph.nodes))) == [
        "concat",
        "conv1x1 4 relu",
        "conv3x3 4 relu",
        "conv3x3 4 relu",
        "conv3x3 4 relu",
        "conv3x3 8 relu",
        "input",
        "max2x2 /2 valid",
        "output",
        "upsample x2",
    ]
    assert "concat" not in labels(chosen("add"))
    assert len({SPACE.architecture(chosen(skip)).key for skip in SKIPS}) == 3


def test_a_skip_connection_carries_the_details() -> None:
    """Without skips no decoder knows which pixel of four was bright."""
    image = torch.zeros(1, 1, 8, 8)
    image[0, 0, 2, 2] = 1
    for skip in SKIPS:
        torch.manual_seed(0)
        network = SPACE.build(chosen(skip), (1, 8, 8), 2).eval()
        torch.manual_seed(0)
        for module in network.modules():
            if isinstance(module, nn.Conv2d):  # each output depends on its own pixel alone
                weight = torch.zeros_like(module.weight)
                weight[:, :, module.kernel_size[0] // 2, module.kernel_size[1] // 2] = 1
                module.weight.data = weight
        logits = network(image)[0, 0]
        same = torch.equal(logits[2, 2], logits[3, 3])
        assert same == (skip == "none")


@pytest.mark.parametrize("shape", [(3, 33, 7), (1, 1, 1), (1, 8, 8), (2, 37), (2, 1)])
def test_masks_have_the_size_of_the_image(shape: tuple[int, ...]) -> None:
    for drawn in sample(SPACE.configuration_space, 6, np.random.default_rng(0)):
        network = SPACE.build(drawn, shape, 5).eval()
        assert network(torch.randn(2, *shape)).shape == (2, 5, *shape[1:])


def test_a_network_reads_images_of_other_sizes_than_it_was_built_for() -> None:
    network = SPACE.build(chosen("add", "none", "concatenate"), (1, 16, 16), 2).eval()
    assert network(torch.randn(1, 1, 21, 30)).shape == (1, 2, 21, 30)


def test_resources_by_hand() -> None:
    counted = count_resources(SPACE.build(chosen("concatenate"), (1, 8, 8), 2), (1, 8, 8))
    full = 9 * 4 + 9 * 4 * 4 + 9 * 8 * 4 + 4 * 2  # stem, encoder, decoder, last
    half = 9 * 4 * 8 + 8 * 4  # bottom, projection
    assert counted.multiply_adds == 64 * full + 16 * half
    assert counted.parameters == full + half + 2 * (4 + 4 + 8 + 4 + 4) + 2


def test_levels_beyond_the_depth_are_inactive() -> None:
    for drawn in sample(SPACE.configuration_space, 50, np.random.default_rng(0)):
        depth, active = int(drawn["depth"]), {name.split(":")[0] for name in values(drawn)}
        encoders = {f"encoder{level}" for level in range(1, depth + 2)}
        assert active == {"depth", *encoders, *(f"decoder{i}" for i in range(1, depth + 1))}


def test_blocks_of_ones_own() -> None:
    space = EncoderDecoderSpace(
        (6,), (2, 2), (1, 1), {"own": Family(plain, {}, {"kernel": (1, 7)})}
    )
    for drawn in sample(space.configuration_space, 4, np.random.default_rng(0)):
        assert space.build(drawn, (1, 9, 9), 3)(torch.randn(2, 1, 9, 9)).shape == (2, 3, 9, 9)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: EncoderDecoderSpace(widths=()), "the widths are"),
        (lambda: EncoderDecoderSpace(widths=(8, 4)), "ascending"),
        (lambda: EncoderDecoderSpace(depth=(0, 2)), "counts halvings from 1"),
        (lambda: EncoderDecoderSpace(depth=(3, 2)), "bounds ascend"),
        (lambda: EncoderDecoderSpace(families={}), "no family"),
        (lambda: EncoderDecoderSpace(blocks=(0, 1)), "at least 1"),
    ],
)
def test_what_cannot_be_is_refused(make: object, complaint: str) -> None:
    assert callable(make)
    with pytest.raises(SpaceError, match=complaint):
        make()
