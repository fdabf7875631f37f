from __future__ import annotations

import numpy as np
import pytest

from spaces.architecture.architecture import Architecture, Node
from spaces.cells.cell import CellSpace
from spaces.display.sums import SUM, with_sums
from spaces.display.svg import svg
from spaces.space import sample


def residual(depth: int) -> Architecture:
    """A stream to which each block adds what it makes of it."""
    nodes = [Node("input")]
    for number in range(depth):
        nodes.append(Node(f"block {number}", tuple(range(len(nodes)))))
    nodes.append(Node("output", tuple(range(len(nodes)))))
    return Architecture(tuple(nodes)).canonical()


def read(nodes: list, number: int) -> tuple[int, ...]:
    """The nodes other than sums that a node reads, itself or by sums."""
    found: list[int] = []
    for source in nodes[number].inputs:
        found += read(nodes, source) if nodes[source].operation == SUM else [source]
    return tuple(sorted(found))


@pytest.mark.parametrize("depth", [4, 12])
def test_a_residual_stream_has_edges_in_proportion_to_its_depth(depth: int) -> None:
    graph = residual(depth)
    assert sum(len(node.inputs) for node in graph.nodes) > depth * depth / 2
    drawn = with_sums(graph.nodes)
    assert sum(len(node.inputs) for node in drawn) <= 4 * depth
    assert [n.operation for n in drawn if n.operation != SUM] == [n.operation for n in graph.nodes]


def test_each_node_reads_what_it_reads_without_the_sums() -> None:
    graph = residual(7)
    drawn = with_sums(graph.nodes)
    at = [number for number, node in enumerate(drawn) if node.operation != SUM]
    for number, node in enumerate(graph.nodes):
        assert read(drawn, at[number]) == tuple(sorted(at[source] for source in node.inputs))
    assert all(source < number for number, node in enumerate(drawn) for source in node.inputs)


def test_a_picture_of_a_deep_stream_is_not_taller_for_its_depth() -> None:
    heights = [int(svg(residual(d)).split('height="')[1].split('"')[0]) for d in (8, 16)]
    assert heights[0] == heights[1]


@pytest.mark.parametrize("operation", ["concat", residual(1)])
def test_what_does_not_add_its_inputs_is_no_sum(operation: str | Architecture) -> None:
    nodes = [Node("input"), *(Node(operation, tuple(range(number))) for number in range(1, 8))]
    assert with_sums(nodes) == nodes


def test_cells_are_drawn_by_their_edges() -> None:
    space = CellSpace.nasbench201()
    for drawn in sample(space.configuration_space, 200, np.random.default_rng(0)):
        nodes = space.architecture(drawn).canonical().nodes
        assert with_sums(nodes) == list(nodes)
