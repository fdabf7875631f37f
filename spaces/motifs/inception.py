"""Inception modules as families of blocks, and the stems and reductions around them.

Version 3: Szegedy et al. (2016), "Rethinking the Inception architecture for computer vision".
Version 4: Szegedy et al. (2017), "Inception-v4, Inception-ResNet and the impact of residual
connections on learning". Widths are the published ones times a multiplier.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from spaces.motifs.families import Choices, Family
from spaces.motifs.layers import Convolution, Kernel, Layer, Pool
from spaces.motifs.plan import Draft, Plan

MULTIPLIERS = (0.25, 0.5, 0.75, 1.0)
REDUCTIONS = ("none", "pool", "v3_a", "v3_b", "v4_a", "v4_b")

SHRINK = Pool("max", 3, 2, padded=False)
BLUR = Pool("average", 3)
WIDE: Kernel = (1, 7)
TALL: Kernel = (7, 1)


@dataclass(frozen=True)
class _Widths:
    """Convolutions whose widths are multiplied, and then rounded to a multiple of 8."""

    multiplier: float

    def __call__(
        self, width: int, kernel: Kernel = (1, 1), stride: int = 1, *, padded: bool = True
    ) -> Convolution:
        if self.multiplier != 1:
            width = max(8, round(width * self.multiplier / 8) * 8)
        return Convolution(width, kernel, stride, padded)

    def reduce(self, width: int) -> Convolution:
        """Return a 3x3 convolution of stride 2 without padding."""
        return self(width, (3, 3), 2, padded=False)


Module = Callable[[Draft, int, _Widths, Choices], int]
"""A function (draft, source, convolutions, choices) that draws a module and returns its node: the
draft, the node that it reads, a maker of convolutions, and the values of its choices."""


def _branches(draft: Draft, source: int, branches: Sequence[Sequence[Layer]]) -> int:
    return draft.concat(*(draft.chain(branch, source) for branch in branches))


def _fork(draft: Draft, source: int, one: Layer, other: Layer) -> tuple[int, int]:
    return draft.add(one, source), draft.add(other, source)


def v3_a(draft: Draft, x: int, c: _Widths, choices: Choices) -> int:
    """See `Module`: Inception A of version 3, for 35x35 maps."""
    branches: list[list[Layer]] = [
        [c(64)],
        [c(48), c(64, (5, 5))],
        [c(64), c(96, (3, 3)), c(96, (3, 3))],
        [BLUR, c(int(choices["pool"]))],
    ]
    return _branches(draft, x, branches)


def v3_b(draft: Draft, x: int, c: _Widths, choices: Choices) -> int:
    """See `Module`: Inception B of version 3, for 17x17 maps: 7x7 convolutions in two factors."""
    inner = int(choices["factor"])
    branches: list[list[Layer]] = [
        [c(192)],
        [c(inner), c(inner, WIDE), c(192, TALL)],
        [c(inner), c(inner, TALL), c(inner, WIDE), c(inner, TALL), c(192, WIDE)],
        [BLUR, c(192)],
    ]
    return _branches(draft, x, branches)


def v3_c(draft: Draft, x: int, c: _Widths, choices: Choices) -> int:
    """See `Module`: Inception C of version 3, for 8x8 maps."""
    narrow = _fork(draft, draft.add(c(384), x), c(384, (1, 3)), c(384, (3, 1)))
    deep = draft.chain([c(448), c(384, (3, 3))], x)
    wide = _fork(draft, deep, c(384, (1, 3)), c(384, (3, 1)))
    pooled = draft.chain([BLUR, c(192)], x)
    return draft.concat(draft.add(c(320), x), *narrow, *wide, pooled)


def v4_a(draft: Draft, x: int, c: _Widths, choices: Choices) -> int:
    """See `Module`: Inception A of version 4, for 35x35 maps."""
    branches: list[list[Layer]] = [
        [c(96)],
        [c(64), c(96, (3, 3))],
        [c(64), c(96, (3, 3)), c(96, (3, 3))],
        [BLUR, c(96)],
    ]
    return _branches(draft, x, branches)


def v4_b(draft: Draft, x: int, c: _Widths, choices: Choices) -> int:
    """See `Module`: Inception B of version 4, for 17x17 maps."""
    branches: list[list[Layer]] = [
        [c(384)],
        [c(192), c(224, WIDE), c(256, TALL)],
        [c(192), c(192, TALL), c(224, WIDE), c(224, TALL), c(256, WIDE)],
        [BLUR, c(128)],
    ]
    return _branches(draft, x, branches)


def v4_c(draft: Draft, x: int, c: _Widths, choices: Choices) -> int:
    """See `Module`: Inception C of version 4, for 8x8 maps."""
    narrow = _fork(draft, draft.add(c(384), x), c(256, (1, 3)), c(256, (3, 1)))
    deep = draft.chain([c(384), c(448, (3, 1)), c(512, (1, 3))], x)
    wide = _fork(draft, deep, c(256, (1, 3)), c(256, (3, 1)))
    pooled = draft.chain([BLUR, c(256)], x)
    return draft.concat(draft.add(c(256), x), *narrow, *wide, pooled)


def _reductions(c: _Widths) -> Mapping[str, Sequence[Sequence[Layer]]]:
    """Return the modules that halve the resolution, by name."""
    return {
        "none": [],
        "pool": [[Pool("max", 3, 2)]],
        "v3_a": [[c.reduce(384)], [c(64), c(96, (3, 3)), c.reduce(96)], [SHRINK]],
        "v3_b": [
            [c(192), c.reduce(320)],
            [c(192), c(192, WIDE), c(192, TALL), c.reduce(192)],
            [SHRINK],
        ],
        "v4_a": [[c.reduce(384)], [c(192), c(224, (3, 3)), c.reduce(256)], [SHRINK]],
        "v4_b": [
            [c(192), c.reduce(192)],
            [c(256), c(256, WIDE), c(320, TALL), c.reduce(320)],
            [SHRINK],
        ],
    }


def _block(module: Module, channels_in: int, position: int, choices: Choices) -> Plan:
    """Plan a module; the first of its stage comes after the chosen reduction."""
    c = _Widths(float(choices["multiplier"]))
    draft = Draft(channels_in)
    node = 0
    if position == 0 and choices["reduction"] != "none":
        draft.begin(f"reduction {choices['reduction']}")
        node = _branches(draft, node, _reductions(c)[str(choices["reduction"])])
    draft.begin("module")
    return draft.finish(module(draft, node, c, choices))


def stem_v3(channels_in: int, position: int, choices: Choices) -> Plan:
    """See `Block`: the stem of version 3, which reduces 299x299 to 35x35."""
    c = _Widths(float(choices["multiplier"]))
    draft = Draft(channels_in)
    layers: list[Layer] = [c.reduce(32), c(32, (3, 3), padded=False), c(64, (3, 3)), SHRINK]
    layers += [c(80), c(192, (3, 3), padded=False), SHRINK]
    return draft.finish(draft.chain(layers, 0))


def stem_v4(channels_in: int, position: int, choices: Choices) -> Plan:
    """See `Block`: the stem of version 4, which reduces 299x299 to 35x35 in three forks."""
    c = _Widths(float(choices["multiplier"]))
    draft = Draft(channels_in)
    node = draft.chain([c.reduce(32), c(32, (3, 3), padded=False), c(64, (3, 3))], 0)
    node = _branches(draft, node, [[SHRINK], [c.reduce(96)]])
    last = c(96, (3, 3), padded=False)
    branches = [[c(64), last], [c(64), c(64, WIDE), c(64, TALL), last]]
    node = _branches(draft, node, branches)
    return draft.finish(_branches(draft, node, [[c.reduce(192)], [SHRINK]]))


_SHARED = {"multiplier": MULTIPLIERS, "reduction": REDUCTIONS}

V3_A = Family(partial(_block, v3_a), _SHARED, {"pool": (32, 64)})
V3_B = Family(partial(_block, v3_b), _SHARED, {"factor": (128, 160, 192)})
V3_C = Family(partial(_block, v3_c), _SHARED)
V4_A = Family(partial(_block, v4_a), _SHARED)
V4_B = Family(partial(_block, v4_b), _SHARED)
V4_C = Family(partial(_block, v4_c), _SHARED)
STEM_V3 = Family(stem_v3, {"multiplier": MULTIPLIERS})
STEM_V4 = Family(stem_v4, {"multiplier": MULTIPLIERS})
