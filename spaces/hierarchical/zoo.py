"""Well-known hand-made networks as configurations of one space, to start a search from.

space = zoo.space()
network = space.build(zoo.resnet50(), (3, 224, 224), 1000)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from ConfigSpace import Configuration

from spaces.hierarchical.stage_space import StageSpace
from spaces.space import configuration


@cache
def space() -> StageSpace:
    """Return the space of all networks in this module."""
    return StageSpace()


def _network(stem: Mapping[str, Any], stages: Sequence[Mapping[str, Any]]) -> Configuration:
    """Return the configuration of a stem and stages, whose names are relative to their scope."""
    values: dict[str, Any] = {f"stem:{name}": value for name, value in stem.items()}
    values["stages:depth"] = len(stages)
    for number, stage in enumerate(stages, start=1):
        values |= {f"stages:stage{number}:{name}": value for name, value in stage.items()}
    return configuration(space().configuration_space, values)


def _stage(
    family: str,
    shared: Mapping[str, Any],
    depth: int,
    own: Mapping[str, Sequence[Any]] | None = None,
) -> dict[str, Any]:
    """Return a stage of `depth` blocks; `own` lists the values of each block's own choices."""
    values: dict[str, Any] = {"family": family, "depth": depth}
    values |= {f"{family}:{name}": value for name, value in shared.items()}
    for name, listed in (own or {}).items():
        values |= {f"{family}:block{i}:{name}": value for i, value in enumerate(listed, start=1)}
    return values


def _residual(
    family: str, depths: Sequence[int], shared: Sequence[Mapping[str, Any]]
) -> Configuration:
    """Return four stages of widths 64 to 512, of which the last three halve the resolution."""
    stages = [
        _stage(
            family,
            {"width": 64 * 2**number, "stride": 2 if number else 1, **more},
            depth,
            {"kernel": [3] * depth},
        )
        for number, (depth, more) in enumerate(zip(depths, shared, strict=True))
    ]
    return _network({"kind": "residual", "residual:width": 64}, stages)


def resnet18() -> Configuration:
    """Return ResNet-18 (He et al. 2016): two basic blocks in each of four stages."""
    return _residual("basic", (2, 2, 2, 2), [{}] * 4)


def resnet50() -> Configuration:
    """Return ResNet-50 (He et al. 2016), with the stride in the 3x3 convolution."""
    return _residual("bottleneck", (3, 4, 6, 3), [{"expansion": 4}] * 4)


def resnext50_32x4d() -> Configuration:
    """Return ResNeXt-50 (Xie et al. 2017): 32 paths, 4 channels wide in the first stage."""
    shared = [{"expansion": 4, "cardinality": 32, "group_width": 4 * 2**i} for i in range(4)]
    return _residual("aggregated", (3, 4, 6, 3), shared)


def _inception(family: str, depth: int, reduction: str, **own: Sequence[int]) -> dict[str, Any]:
    return _stage(family, {"multiplier": 1.0, "reduction": reduction}, depth, own)


def inception_v3() -> Configuration:
    """Return Inception-v3 (Szegedy et al. 2016); the published one reads images of 299x299.

    `space().with_auxiliary().build(...)` adds its auxiliary classifier.
    """
    stages = [
        _inception("inception_v3_a", 3, "none", pool=(32, 64, 64)),
        _inception("inception_v3_b", 4, "v3_a", factor=(128, 160, 160, 192)),
        _inception("inception_v3_c", 2, "v3_b"),
    ]
    return _network({"kind": "inception_v3", "inception_v3:multiplier": 1.0}, stages)


def inception_v4() -> Configuration:
    """Return Inception-v4 (Szegedy et al. 2017); the published one reads images of 299x299."""
    stages = [
        _inception("inception_v4_a", 4, "none"),
        _inception("inception_v4_b", 7, "v4_a"),
        _inception("inception_v4_c", 3, "v4_b"),
    ]
    return _network({"kind": "inception_v4", "inception_v4:multiplier": 1.0}, stages)
