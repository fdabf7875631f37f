"""The cells of DARTS: a normal and a reduction cell, whose nodes read two others each.

Liu et al. (2019), "DARTS: differentiable architecture search".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from ConfigSpace import Configuration, ConfigurationSpace

from spaces import operations
from spaces.architecture.architecture import Architecture, Node
from spaces.architecture.labels import CONCAT, IDENTITY, INPUT, OUTPUT, ZERO, edge_name
from spaces.display.html import Shown
from spaces.motifs.layers import Convolution, Custom
from spaces.motifs.plan import Draft
from spaces.motifs.scope import Declared, Scope
from spaces.operations.operations import Operation
from spaces.space import InputShape, SpaceError, configuration

if TYPE_CHECKING:
    from torch import nn

DARTS: Mapping[str, Operation] = {
    "none": operations.zero,
    "max_pool_3x3": operations.max_pool(3),
    "avg_pool_3x3": operations.average_pool(3),
    "skip_connect": operations.skip,
    "sep_conv_3x3": operations.separable_twice(3),
    "sep_conv_5x5": operations.separable_twice(5),
    "dil_conv_3x3": operations.separable(3, dilation=2),
    "dil_conv_5x5": operations.separable(5, dilation=2),
}

PROJECTION = operations.relu_conv_bn(1)
"""Projects a cell's input to the width of its nodes."""

Edge = tuple[str, int]
"""An operation and the node that it reads: 0 and 1 are the two cells before, 2 the first node."""


@dataclass(frozen=True, repr=False)
class DartsSpace(Shown):
    """Pairs of cells, in which each node sums two operations on two different earlier nodes.

    Attributes:
        operations: from a name to a function (channels_in, channels_out, stride) -> nn.Module.
        nodes: of each cell, between its two inputs and its output, which concatenates them.
        channels: of each node before the first reduction.
        cells: of the network; those after one and two thirds of them are reduction cells.

    Raises:
        SpaceError: there is no valid architecture, or a size is not positive.
    """

    operations: Mapping[str, Operation] = field(default_factory=lambda: DARTS)
    nodes: int = 4
    channels: int = 36
    cells: int = 20

    def __post_init__(self) -> None:
        for name in ("nodes", "channels", "cells"):
            if getattr(self, name) < 1:
                raise SpaceError(f"{name} is at least 1, not {getattr(self, name)}")
        if all(operation is operations.zero for operation in self.operations.values()):
            raise SpaceError(
                f"no valid architecture: among the operations {list(self.operations)} none "
                "connects an input to the output; add one that is not zero"
            )

    @cached_property
    def configuration_space(self) -> ConfigurationSpace:
        """For each cell and node the pair of nodes that it reads, and the operation on each."""
        declared = Declared()
        for kind in ("normal", "reduction"):
            for node in range(2, self.nodes + 2):
                scope = Scope(declared).inside(kind).inside(f"node{node}")
                if node > 2:
                    pairs = [f"{i},{j}" for i, j in combinations(range(node), 2)]
                    scope.categorical("sources", pairs)
                scope.categorical("first", list(self.operations))
                scope.categorical("second", list(self.operations))
        return declared.space()

    def edges(self, configuration: Configuration, kind: str) -> list[tuple[Edge, Edge]]:
        """Return the two edges of each node of a cell.

        Args:
            configuration: of this space.
            kind: of the cell, 'normal' or 'reduction'.
        """
        cell = []
        for node in range(2, self.nodes + 2):
            name = f"{kind}:node{node}"
            pair = str(configuration[f"{name}:sources"]) if node > 2 else "0,1"
            one, other = map(int, pair.split(","))
            first, second = configuration[f"{name}:first"], configuration[f"{name}:second"]
            cell.append(((str(first), one), (str(second), other)))
        return cell

    def from_genotype(self, normal: Sequence[Edge], reduction: Sequence[Edge]) -> Configuration:
        """Return the configuration of a genotype as DARTS writes it.

        Args:
            normal: two pairs (operation, source) per node of the normal cell.
            reduction: the same of the reduction cell.

        Raises:
            SpaceError: it has another length, an unknown operation, or a node reads one twice.
        """
        values = {}
        for kind, edges in (("normal", normal), ("reduction", reduction)):
            if len(edges) != 2 * self.nodes:
                raise SpaceError(f"a cell has {2 * self.nodes} edges, not {len(edges)}")
            for node in range(2, self.nodes + 2):
                pair = sorted(edges[2 * node - 4 : 2 * node - 2], key=lambda edge: edge[1])
                if node > 2:
                    values[f"{kind}:node{node}:sources"] = f"{pair[0][1]},{pair[1][1]}"
                values[f"{kind}:node{node}:first"] = pair[0][0]
                values[f"{kind}:node{node}:second"] = pair[1][0]
        return configuration(self.configuration_space, values)

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return both cells, one after the other, as nested graphs of two inputs.

        A cell that the network repeats occurs once. The operations before a cell's inputs tell
        the two cells apart.
        """
        nodes = [Node(INPUT), Node(INPUT)]
        results: list[int] = []
        for kind in ("normal", "reduction"):
            before = (0, 1) if kind == "normal" else (1, results[0])
            nodes += [Node(f"{kind} input", (source,)) for source in before]
            nodes.append(Node(self._cell(configuration, kind), (len(nodes) - 2, len(nodes) - 1)))
            results.append(len(nodes) - 1)
        nodes += [Node(CONCAT, tuple(results)), Node(OUTPUT, (len(nodes),))]
        return Architecture(tuple(nodes))

    def _cell(self, configuration: Configuration, kind: str) -> Architecture:
        nodes = [Node(INPUT), Node(INPUT)]
        sums = [0, 1]
        for pair in self.edges(configuration, kind):
            for name, source in pair:
                label = self._label(name, kind == "reduction" and source < 2)
                nodes.append(Node(label, (sums[source],)))
            nodes.append(Node(IDENTITY, (len(nodes) - 2, len(nodes) - 1)))
            sums.append(len(nodes) - 1)
        nodes += [Node(CONCAT, tuple(sums[2:])), Node(OUTPUT, (len(nodes),))]
        return Architecture(tuple(nodes))

    def _label(self, name: str, strided: bool) -> str:
        operation = self.operations[name]
        if operation is operations.zero:
            return ZERO
        if operation in (operations.skip, operations.identity) and not strided:
            return IDENTITY
        return f"{name} /2" if strided else operations.label_of(name, operation)

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`: a convolution, the cells, global average pooling, a linear layer."""
        from spaces.motifs.build import network
        from spaces.operations.dimensions import match_dimensions

        draft = Draft(input_shape[0])
        stem = draft.add(Convolution(3 * self.channels, activation="none"), 0)
        before, last, width, shrunk = stem, stem, self.channels, False
        for number in range(self.cells):
            draft.begin(f"cell{number + 1}")
            reduces = number in (self.cells // 3, 2 * self.cells // 3)
            width *= 2 if reduces else 1
            inputs = (
                draft.add(Custom("projection", operations.skip, width, 2), before)
                if shrunk
                else draft.add(Custom("projection", PROJECTION, width), before),
                draft.add(Custom("projection", PROJECTION, width), last),
            )
            result = self._draw(configuration, draft, inputs, reduces)
            before, last, shrunk = last, result, reduces
        return match_dimensions(network(draft.finish(last), outputs), input_shape)

    def _draw(
        self, configuration: Configuration, draft: Draft, inputs: Sequence[int], reduces: bool
    ) -> int:
        nodes = list(inputs)
        cell = self.edges(configuration, "reduction" if reduces else "normal")
        for target, pair in enumerate(cell, start=2):
            read = []
            for name, source in pair:
                operation = self.operations[name]
                if operation is operations.skip and not (reduces and source < 2):
                    operation = operations.identity  # has no weights and is contracted
                stride = 2 if reduces and source < 2 else 1
                layer = Custom(name, operation, stride=stride)
                edge = f"{edge_name((source, target))} {name}"
                read.append(draft.add(layer, nodes[source], name=edge))
            nodes.append(draft.sum(*read))
        return draft.concat(*nodes[2:])


def darts(channels: int = 36, cells: int = 20) -> DartsSpace:
    """Return the space of DARTS: four nodes per cell, eight operations.

    Args:
        channels: of each node before the first reduction.
        cells: of the network.
    """
    return DartsSpace(DARTS, 4, channels, cells)
