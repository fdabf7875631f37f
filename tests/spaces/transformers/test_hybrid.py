from __future__ import annotations

import numpy as np
import torch

from spaces.cells.cell import CellSpace
from spaces.hierarchical.macro_space import MacroSpace
from spaces.hierarchical.stage_space import FAMILIES, StageSpace
from spaces.motifs.families import Family, basic
from spaces.motifs.layers import Convolution
from spaces.motifs.motifs import Stage
from spaces.operations.operations import relu_conv_bn, skip, zero
from spaces.resources.resources import count_resources
from spaces.space import Space, sample
from spaces.transformers.hybrid import ATTENTION, attention_block, pixel_attention
from spaces.transformers.pixels import PixelAttention
from tests.spaces.contract import SpaceContract

SHARED = {"width": (8, 16), "stride": (2,)}


class TestMacroHybrid(SpaceContract):
    input_shape = (3, 16, 16)
    builds = 8

    @staticmethod
    def make_space() -> Space:
        stages = {
            "stage1": Stage({"basic": Family(basic, SHARED, {"kernel": (3,)})}, (1, 2)),
            "stage2": Stage(
                {
                    "basic": Family(basic, SHARED, {"kernel": (3,)}),
                    "attention": Family(attention_block, SHARED, ATTENTION.own),
                },
                (1, 2),
            ),
        }
        return MacroSpace(stages, (Convolution(8),), ())


class TestSignalHybrid(TestMacroHybrid):
    input_shape = (2, 32)


class TestStageHybrid(SpaceContract):
    input_shape = (3, 32, 32)
    builds = 5

    @staticmethod
    def make_space() -> Space:
        kinds = {"basic": FAMILIES["basic"], "attention": ATTENTION}
        return StageSpace(kinds, stages=(1, 2), depth=(1, 2))


class TestCellHybrid(SpaceContract):
    input_shape = (3, 8, 8)
    builds = 5

    @staticmethod
    def make_space() -> Space:
        operations = {
            "zero": zero,
            "skip": skip,
            "conv": relu_conv_bn(3),
            "attention": pixel_attention(2, 4),
        }
        return CellSpace(operations, channels=4, cells=1, stages=2)


def test_attention_mixes_all_pixels() -> None:
    torch.manual_seed(0)
    layer = PixelAttention(4, heads=3, head_width=2)
    one = torch.randn(1, 4, 5, 6)
    other = one.clone()
    other[0, :, 0, 0] += 1
    with torch.no_grad():
        assert layer(one).shape == one.shape
        assert ((layer(one) - layer(other)).abs().amax(1) > 0).all()


def test_resources_by_hand() -> None:
    found = count_resources(PixelAttention(8, heads=2, head_width=16), (8, 5, 6))
    pixels, inner = 30, 32
    assert found.multiply_adds == 4 * 8 * inner * pixels + 2 * inner * pixels**2
    assert found.parameters == 2 * 8 + 3 * (8 * inner + inner) + inner * 8 + 8


def test_a_stage_of_attention_shows_in_the_graph() -> None:
    space = TestStageHybrid.make_space()
    for drawn in sample(space.configuration_space, 30, np.random.default_rng(0)):
        labels = [str(n.operation) for n in space.architecture(drawn).canonical().nodes]
        stages = [v for k, v in drawn.items() if k.endswith(":family")]
        assert any("pixel attention" in label for label in labels) is ("attention" in stages)
