import json
from pathlib import Path

import numpy as np
import pytest
import torch

from spaces.hierarchical.macro_space import MacroSpace, family_of
from spaces.motifs.motifs import Stage
from spaces.operations.operations import relu_conv_bn
from spaces.resources.resources import Resources, count_resources
from spaces.space import Space, SpaceError, configuration, sample
from tests.spaces.contract import SpaceContract

TABLE = Path(__file__).parents[4] / "shared" / "data" / "nasbench_macro_cifar10.json"
IMAGE = (3, 32, 32)


class TestNasbenchMacro(SpaceContract):
    builds = 10

    @staticmethod
    def make_space() -> Space:
        return MacroSpace.nasbench_macro()


class TestMobile(SpaceContract):
    builds = 5

    @staticmethod
    def make_space() -> Space:
        return MacroSpace.mobile(scale=0.5, stem_stride=1)


class TestSmall(SpaceContract):
    @staticmethod
    def make_space() -> Space:
        return MacroSpace.small()


def small_parameters(family: str, size: int) -> int:
    """Return the parameters of the network whose choices are all the smallest, or the largest."""
    space, at = MacroSpace.small(), -size
    depth = (1, 3)[at]
    kinds: dict[str, tuple[int, ...]] = {"kernel": (3, 5)}
    kinds |= {"expansion": (1, 2, 4)} if family == "inverted" else {}
    chosen: dict[str, object] = {"stem:plain:width": (4, 32)[at]}
    for stage in range(1, 4):
        chosen |= {f"stage{stage}:family": family, f"stage{stage}:depth": depth}
        chosen[f"stage{stage}:{family}:width"] = (4, 32)[at] * 2 ** (stage - 1)
        for block in range(1, depth + 1):
            prefix = f"stage{stage}:{family}:block{block}"
            chosen |= {f"{prefix}:{name}": choices[at] for name, choices in kinds.items()}
    with torch.device("meta"):
        network = space.build(configuration(space.configuration_space, chosen), IMAGE, 10)
    return count_resources(network, IMAGE).parameters


def test_small_networks_have_the_documented_range_of_parameters() -> None:
    assert small_parameters("inverted", size=0) == 694
    assert small_parameters("basic", size=1) == 2_985_130
    assert MacroSpace.small.__doc__ is not None
    assert "694 to 2,985,130 parameters" in MacroSpace.small.__doc__
    space = MacroSpace.small()
    for drawn in sample(space.configuration_space, 30, np.random.default_rng(0)):
        with torch.device("meta"):
            network = space.build(drawn, IMAGE, 10)
        assert 694 <= count_resources(network, IMAGE).parameters <= 2_985_130


def test_the_sizes_in_the_guide_are_those_that_the_benchmark_wrote() -> None:
    root = Path(__file__).parents[3]
    measured = (root / "benchmarks/results/space_sizes.md").read_text(encoding="utf-8")
    guide = (root / "docs/howto/space.md").read_text(encoding="utf-8").splitlines()
    rows = [line for line in measured.splitlines() if line.startswith("|")]
    assert len(rows) == 10
    assert set(rows) <= set(guide)


def test_a_small_space_has_the_widths_and_stages_that_it_is_given() -> None:
    space = MacroSpace.small(widths=(6,), stages=2, stem_stride=2)
    drawn = space.configuration_space.get_default_configuration()
    first = str(space.architecture(drawn).canonical().nodes[1].operation)
    assert first == "conv3x3 6 /2 relu"
    assert list(space.stages) == ["stem", "stage1", "stage2"]


@pytest.fixture(scope="module")
def table() -> dict[str, tuple[int, int]]:
    """Parameters and FLOPs by code."""
    if not TABLE.exists():
        pytest.skip("no table of NAS-Bench-Macro beside the checkout, in ../shared/data")
    entries = json.loads(TABLE.read_text(encoding="utf-8"))
    return {code: (entry["params"], entry["flops"]) for code, entry in entries.items()}


def measured(space: MacroSpace, code: str) -> Resources:
    with torch.device("meta"):
        network = space.build(space.from_code(code), IMAGE, 10)
    return count_resources(network, IMAGE)


def as_tabled(one: Resources) -> tuple[int, int]:
    return one.parameters, one.multiply_adds


def test_all_architectures_cost_what_the_table_says(table: dict[str, tuple[int, int]]) -> None:
    # The FLOPs of that table are multiply-adds. A layer's cost depends on nothing but its own
    # operation, since every layer's shape is fixed: 17 networks determine all 6,561.
    space = MacroSpace.nasbench_macro()
    base = np.array(as_tabled(measured(space, "00000000")))
    more = {
        (layer, digit): np.array(
            as_tabled(measured(space, "0" * layer + digit + "0" * (7 - layer)))
        )
        - base
        for layer in range(8)
        for digit in "12"
    }
    assert len(table) == 6561
    for code, expected in table.items():
        added = [more[layer, digit] for layer, digit in enumerate(code) if digit != "0"]
        assert tuple(base + sum(added)) == expected


def test_whole_networks_cost_what_the_table_says(table: dict[str, tuple[int, int]]) -> None:
    space = MacroSpace.nasbench_macro()
    for code in sorted(table)[::400]:
        assert as_tabled(measured(space, code)) == table[code]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_each_network_by_itself_costs_what_the_table_says(
    table: dict[str, tuple[int, int]],
) -> None:
    space = MacroSpace.nasbench_macro()
    for code, expected in table.items():
        assert as_tabled(measured(space, code)) == expected


def test_a_layer_that_is_passed_is_known_as_such() -> None:
    space = MacroSpace.nasbench_macro()
    nodes = space.architecture(space.from_code("00000000")).canonical().nodes
    # Stem, three layers that change the shape, and the last convolution.
    assert [str(node.operation) for node in nodes] == [
        "input",
        "conv3x3 32 relu",
        "conv1x1 64 /2",
        "conv1x1 128 /2",
        "conv1x1 256 /2",
        "conv1x1 1280 relu",
        "output",
    ]


@pytest.mark.parametrize("code", ["0", "000000003", "0000000x"])
def test_a_wrong_code_is_refused(code: str) -> None:
    with pytest.raises(SpaceError, match="8 digits"):
        MacroSpace.nasbench_macro().from_code(code)


def test_blocks_beyond_the_depth_are_inactive() -> None:
    space = MacroSpace.mobile()
    for drawn in sample(space.configuration_space, 20, np.random.default_rng(0)):
        for stage in range(1, 8):
            blocks = [
                name for name in drawn if name.startswith(f"stage{stage}:") and "kernel" in name
            ]
            assert len(blocks) == drawn[f"stage{stage}:depth"]


def test_mobilenet_v2_is_a_point_of_the_mobile_space() -> None:
    chosen: dict[str, object] = {}
    published = ((16, 1), (24, 2), (32, 3), (64, 4), (96, 3), (160, 3), (320, 1))
    for stage, (width, depth) in enumerate(published, start=1):
        chosen[f"stage{stage}:depth"] = depth
        chosen |= {f"stage{stage}:inverted:width": width} if stage > 1 else {}
        for block in range(1, depth + 1):
            own = {"kernel": 3, "skip": "yes"} | ({"expansion": 6} if stage > 1 else {})
            chosen |= {f"stage{stage}:inverted:block{block}:{k}": v for k, v in own.items()}
    space = MacroSpace.mobile()
    with torch.device("meta"):
        network = space.build(configuration(space.configuration_space, chosen), (3, 224, 224), 1000)
    # Sandler et al. (2018): 3.4 million parameters and 300 million multiply-adds.
    counted = count_resources(network, (3, 224, 224))
    assert counted.parameters == 3_504_872
    assert counted.multiply_adds == pytest.approx(300e6, rel=0.01)


def test_without_a_shortcut_is_another_network() -> None:
    space = MacroSpace.mobile()
    drawn = space.configuration_space.get_default_configuration()
    name = "stage4:inverted:block2:skip"
    changed = configuration(
        space.configuration_space,
        {**dict(drawn), name: "no" if drawn[name] == "yes" else "yes"},
    )
    assert space.architecture(drawn).key != space.architecture(changed).key


def test_a_space_of_ones_own_operations() -> None:
    families = {
        "conv3x3": family_of(relu_conv_bn(3), "conv3x3", 8, stride=2),
        "conv5x5": family_of(relu_conv_bn(5), "conv5x5", 8, stride=2),
    }
    space = MacroSpace({"first": Stage(families, (1, 3)), "second": Stage(families, (1, 2))})
    for drawn in sample(space.configuration_space, 5, np.random.default_rng(0)):
        assert space.build(drawn, (1, 9, 9), 4)(torch.randn(2, 1, 9, 9)).shape == (2, 4)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MacroSpace({}), "at least 1 stage"),
        (lambda: MacroSpace.small(widths=()), "1 or more positive ones"),
        (lambda: MacroSpace.small(widths=(8, 4)), "ascending"),
        (lambda: MacroSpace.small(stages=0), "at least 1 stage of blocks"),
        (lambda: Stage({}, (1, 2)), "no family"),
        (lambda: Stage({"a": family_of(relu_conv_bn(3), "a", 8)}, (-1, 2)), "at least 1"),
        (lambda: Stage({"a": family_of(relu_conv_bn(3), "a", 8)}, (3, 2)), "ascend"),
    ],
)
def test_impossible_spaces_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(SpaceError, match=message):
        make()
