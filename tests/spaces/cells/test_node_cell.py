from itertools import product

import numpy as np
import pytest
import torch

from spaces.architecture.architecture import Architecture, ArchitectureError
from spaces.architecture.labels import INPUT, OUTPUT
from spaces.cells.node_cell import OPERATIONS, NodeCellSpace, nasbench101, vertex_channels
from spaces.space import Space, SpaceError, sample
from tests.spaces.contract import SpaceContract

CONV, POOL = "conv3x3-bn-relu", "maxpool3x3"


class TestNasbench101(SpaceContract):
    builds = 10

    @staticmethod
    def make_space() -> Space:
        return nasbench101(channels=8, cells=1)


def cell(edges: list[tuple[int, int]], operation: str, inner: int) -> Architecture:
    size = inner + 2
    matrix = [[int((i, j) in edges) for j in range(size)] for i in range(size)]
    return nasbench101().cell(matrix, ["input", *[operation] * inner, "output"])


SMALLEST = cell([(0, 1), (1, 2), (2, 3), *((i, 5) for i in range(1, 5)), (3, 4)], POOL, 4)
LARGEST = cell([*((i, i + 1) for i in range(6)), (0, 2), (0, 3), (0, 4)], CONV, 5)


@pytest.mark.parametrize(("graph", "parameters"), [(SMALLEST, 227_274), (LARGEST, 49_979_274)])
def test_the_smallest_and_the_largest_network(graph: Architecture, parameters: int) -> None:
    space = nasbench101()
    with torch.device("meta"):
        network = space.build(space.encode(graph), (3, 32, 32), 10)
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_all_samples_are_cells_of_the_benchmark() -> None:
    space = nasbench101()
    for drawn in sample(space.configuration_space, 500, np.random.default_rng(0)):
        graph = space.architecture(drawn).canonical()
        assert graph.connected
        assert len(graph.nodes) <= 7
        assert sum(len(node.inputs) for node in graph.nodes) <= 9
        assert all(len(set(node.inputs)) == len(node.inputs) for node in graph.nodes)
        assert space.architecture(space.encode(graph)).key == graph.key


def test_every_cell_can_be_written() -> None:
    # Ying et al. (2019): 1, 6 and 84 different graphs with 2, 3 and 4 vertices.
    space = nasbench101()
    written = set()
    pairs = [(i, j) for j in range(4) for i in range(j)]
    for labels in product(OPERATIONS, repeat=2):
        for chosen in product((False, True), repeat=len(pairs)):
            edges = [pair for pair, taken in zip(pairs, chosen, strict=True) if taken]
            graph = Architecture.from_edges((INPUT, *labels, OUTPUT), edges)
            if graph.connected:
                assert space.architecture(space.encode(graph)).key == graph.key
                written.add(graph.key)
    assert len(written) == 1 + 6 + 84


def test_channels_are_split_before_the_output() -> None:
    graph = cell([(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)], CONV, 3).canonical()
    assert vertex_channels(graph, 8) == [8, 3, 3, 2, 8]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NodeCellSpace(vertices=2), "at least 3 vertices"),
        (lambda: NodeCellSpace(vertices=7, edges=5), "can never connect"),
        (lambda: NodeCellSpace(channels=0), "at least 1"),
        (lambda: nasbench101().cell([[0, 1, 0], [0, 0, 1], [0, 0, 0]], ["i", "x", "o"]), "unknown"),
        (lambda: nasbench101().encode(cell([(0, 1)], CONV, 1)), "no path"),
        (
            lambda: NodeCellSpace(vertices=3).encode(cell([(0, 1), (1, 2), (2, 3)], CONV, 2)),
            "4 vertices and 3 edges",
        ),
    ],
)
def test_impossible_cells_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(SpaceError, match=message):
        make()


def test_a_cycle_is_refused() -> None:
    matrix = [[0, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 1], [0, 0, 0, 0]]
    with pytest.raises(ArchitectureError, match="close a cycle"):
        nasbench101().cell(matrix, ["input", CONV, CONV, "output"])
