"""Cells with operations on nodes: the search space of NAS-Bench-101.

Ying et al. (2019), "NAS-Bench-101: towards reproducible neural architecture search".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ConfigSpace import Configuration, ConfigurationSpace

from spaces.architecture.architecture import Architecture
from spaces.architecture.labels import INPUT, OUTPUT, edge_name
from spaces.display.html import Shown
from spaces.motifs.layers import Convolution, Layer, Pool, Truncation
from spaces.motifs.plan import Draft, Plan
from spaces.motifs.scope import Above, Declared, Is, Scope
from spaces.space import InputShape, SpaceError, configuration

if TYPE_CHECKING:
    from torch import nn

OPERATIONS = ("conv1x1-bn-relu", "conv3x3-bn-relu", "maxpool3x3")
ABSENT = "none"


@dataclass(frozen=True, repr=False)
class NodeCellSpace(Shown):
    """All directed acyclic graphs of few vertices and edges, stacked into a network.

    Every sample is a valid cell: each vertex but the input names one vertex that it reads, which
    makes a tree with a path to the output, and the other edges go between any two vertices, or
    nowhere. Every cell has such a configuration.

    Attributes:
        vertices: the largest number, input and output included.
        edges: the largest number.
        channels: of the first stack; each further one doubles them.
        cells: in each stack.
        stacks: of the network; between them a maximum pooling halves the resolution.

    Raises:
        SpaceError: a size is too small, or so few edges cannot connect the vertices.
    """

    vertices: int = 7
    edges: int = 9
    channels: int = 128
    cells: int = 3
    stacks: int = 3

    def __post_init__(self) -> None:
        if self.vertices < 3:
            raise SpaceError(f"a cell has at least 3 vertices, not {self.vertices}")
        if self.edges < self.vertices - 1:
            raise SpaceError(
                f"{self.edges} edges can never connect {self.vertices} vertices: "
                f"allow at least {self.vertices - 1}"
            )
        for name in ("channels", "cells", "stacks"):
            if getattr(self, name) < 1:
                raise SpaceError(f"{name} is at least 1, not {getattr(self, name)}")

    def _extra(self, vertices: int) -> int:
        """Return the number of edges that there can be beyond those of the tree."""
        pairs = vertices * (vertices - 1) // 2
        return min(self.edges, pairs) - (vertices - 1)

    @cached_property
    def configuration_space(self) -> ConfigurationSpace:
        """The number of vertices, their operations, and their edges."""
        declared = Declared()
        scope = Scope(declared)
        count = scope.integer("vertices", 2, self.vertices)
        for vertex in range(1, self.vertices - 1):
            inner = scope.inside(f"vertex{vertex}", Above(count, vertex + 1))
            inner.categorical("operation", OPERATIONS)
            if vertex > 1:  # the first vertex reads the input
                inner.categorical("source", [str(i) for i in range(vertex)])
        for vertices in range(3, self.vertices + 1):
            inner = scope.inside(f"of{vertices}", Is(count, vertices))
            inner.categorical("output_source", [str(i) for i in range(vertices - 1)])
            pairs = [f"{i}-{j}" for j in range(vertices) for i in range(j)]
            for number in range(1, self._extra(vertices) + 1):
                inner.categorical(f"edge{number}", [ABSENT, *pairs])
        return declared.space()

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return the cell: a graph with an operation at every inner vertex."""
        count = int(configuration["vertices"])
        labels = [str(configuration[f"vertex{v}:operation"]) for v in range(1, count - 1)]
        edges = {(0, 1)}
        for vertex in range(2, count - 1):
            edges.add((int(configuration[f"vertex{vertex}:source"]), vertex))
        if count > 2:
            edges.add((int(configuration[f"of{count}:output_source"]), count - 1))
        for number in range(1, self._extra(count) + 1):
            edge = str(configuration[f"of{count}:edge{number}"])
            if edge != ABSENT:
                source, _, target = edge.partition("-")
                edges.add((int(source), int(target)))
        return Architecture.from_edges([INPUT, *labels, OUTPUT], sorted(edges))

    def cell(self, matrix: Sequence[Sequence[int]], operations: Sequence[str]) -> Architecture:
        """Return the cell that NAS-Bench-101 writes as an upper triangular matrix and operations.

        Args:
            matrix: (vertices, vertices), 1 where an edge leads from the row to the column.
            operations: of all vertices; those of the first and the last are ignored.

        Raises:
            ArchitectureError: the edges close a cycle.
            SpaceError: an operation is unknown.
        """
        inner = list(operations[1:-1])
        if unknown := set(inner) - set(OPERATIONS):
            raise SpaceError(
                f"unknown operations {sorted(unknown)}: this space has {', '.join(OPERATIONS)}"
            )
        edges = [(i, j) for i, row in enumerate(matrix) for j, edge in enumerate(row) if edge]
        return Architecture.from_edges([INPUT, *inner, OUTPUT], edges)

    def encode(self, cell: Architecture) -> Configuration:
        """Return a configuration of the same cell without dead vertices.

        Raises:
            SpaceError: the cell is larger than this space allows, or not connected.
        """
        nodes = cell.canonical().nodes
        count = len(nodes)
        edges = [(i, target) for target, node in enumerate(nodes) for i in node.inputs]
        if not nodes[-1].inputs:
            raise SpaceError("the cell has no path from its input to its output: add an edge")
        if count > self.vertices or len(edges) > self.edges:
            raise SpaceError(
                f"the cell has {count} vertices and {len(edges)} edges, this space at most "
                f"{self.vertices} and {self.edges}"
            )
        values: dict[str, Any] = {"vertices": count}
        rest = set(edges) - {(0, 1)}
        for vertex in range(1, count - 1):
            values[f"vertex{vertex}:operation"] = str(nodes[vertex].operation)
            if vertex > 1:
                values[f"vertex{vertex}:source"] = str(nodes[vertex].inputs[0])
                rest.discard((nodes[vertex].inputs[0], vertex))
        if count > 2:
            values[f"of{count}:output_source"] = str(nodes[-1].inputs[0])
            rest.discard((nodes[-1].inputs[0], count - 1))
        extra = [f"{i}-{j}" for i, j in sorted(rest)]
        extra += [ABSENT] * (self._extra(count) - len(extra))
        values |= {f"of{count}:edge{i}": edge for i, edge in enumerate(extra, start=1)}
        return configuration(self.configuration_space, values)

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`; dead vertices of the cell have no weights."""
        from spaces.motifs.build import network
        from spaces.operations.dimensions import match_dimensions

        cell = self.architecture(configuration).canonical()
        draft = Draft(input_shape[0])
        node = draft.add(Convolution(self.channels), 0)
        for stack in range(self.stacks):
            if stack:
                node = draft.add(Pool("max", 3, 2), node)
            for _ in range(self.cells):
                plan = cell_plan(cell, draft.channels(node), self.channels * 2**stack)
                node = draft.nest(plan, node)
        return match_dimensions(network(draft.finish(node), outputs), input_shape)


def nasbench101(channels: int = 128, cells: int = 3, stacks: int = 3) -> NodeCellSpace:
    """Return the cells of NAS-Bench-101: at most 7 vertices and 9 edges, three operations.

    Args:
        channels: of the first stack.
        cells: in each stack.
        stacks: of the network.
    """
    return NodeCellSpace(7, 9, channels, cells, stacks)


def _layer(operation: str, width: int) -> Layer:
    if operation == OPERATIONS[2]:
        return Pool("max", 3)
    size = 1 if operation == OPERATIONS[0] else 3
    return Convolution(width, (size, size))


def vertex_channels(cell: Architecture, channels: int) -> list[int]:
    """Return the channels of each vertex; those before the output concatenate to `channels`.

    Ying et al. (2019), section 2.2: the channels of the output are split evenly, the first vertices
    get the remainder; a vertex that only feeds others is as wide as the widest of them.

    Args:
        cell: a canonical cell.
        channels: of its output.
    """
    nodes = cell.nodes
    last = [i for i in nodes[-1].inputs if i > 0]
    widths = [channels] * len(nodes)
    for position, vertex in enumerate(last):
        widths[vertex] = channels // len(last) + (position < channels % len(last))
    for vertex in reversed(range(1, len(nodes) - 1)):
        if vertex not in last:
            readers = [t for t in range(vertex + 1, len(nodes) - 1) if vertex in nodes[t].inputs]
            widths[vertex] = max(widths[target] for target in readers)
    return widths


def cell_plan(cell: Architecture, channels_in: int, channels: int) -> Plan:
    """Plan a cell: inputs are projected, inner edges truncated, outputs concatenated.

    Args:
        cell: a canonical cell.
        channels_in: of its input.
        channels: of its output.
    """
    nodes = cell.nodes
    widths = vertex_channels(cell, channels)
    draft = Draft(channels_in)
    node_of = {0: 0}

    def projected(width: int, vertex: int) -> int:
        return draft.add(Convolution(width, (1, 1)), 0, name=edge_name((0, vertex)))

    def read(vertex: int, width: int) -> int:
        node = node_of[vertex]
        return node if draft.channels(node) == width else draft.add(Truncation(width), node)

    for vertex in range(1, len(nodes) - 1):
        width = widths[vertex]
        sources = [
            projected(width, vertex) if i == 0 else read(i, width) for i in nodes[vertex].inputs
        ]
        operation = str(nodes[vertex].operation)
        name = f"vertex{vertex} {operation}"
        node_of[vertex] = draft.add(_layer(operation, width), *sources, name=name)
    inner = [node_of[i] for i in nodes[-1].inputs if i > 0]
    parts = [draft.concat(*inner)] if inner else []
    if 0 in nodes[-1].inputs:
        parts.append(projected(channels, len(nodes) - 1))
    return draft.finish(*parts)
