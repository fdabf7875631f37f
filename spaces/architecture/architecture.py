"""An architecture: a labelled directed acyclic graph of operations, free of torch.

Two architectures are the same network exactly when their canonical graphs are isomorphic.
`Architecture.canonical` removes everything that does not affect the function of the network, and
`Architecture.key` is a hash of the rest.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from spaces.architecture.labels import CONCAT, IDENTITY, INPUT, OUTPUT, ZERO
from spaces.architecture.node_order import canonical_order
from spaces.display.svg import svg

# A sum within other sums is written out in full, so that graphs that differ only in the order of
# their additions are equal. A sum of more terms stays a node, because nested doublings would grow
# without bound: equal networks may then have two keys, but different ones never have one.
LARGEST_SUM = 64

NAME_DELIMITER = ":"
"""Between the name of a nested graph and the name of a node in it."""


class ArchitectureError(ValueError):
    """An impossible architecture; the message says what is wrong and how to mend it."""


@dataclass(frozen=True)
class Node:
    """One operation and its sources.

    Attributes:
        operation: the label of the operation, or an architecture that is nested here.
            `identity`, `zero`, `concat`, `input` and `output` have their obvious meaning;
            every other label is opaque.
        inputs: the positions of the nodes that it reads. An operation reads their sum (a node
            listed twice counts twice); `concat` concatenates channels; a nested architecture
            takes its inputs in order.
        name: of its role, the same in networks of other depths and widths, by which they can share
            weights; it is no part of the graph, so nodes that differ only in it are equal.
    """

    operation: str | Architecture
    inputs: tuple[int, ...] = ()
    name: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True)
class Architecture:
    """A directed acyclic graph of operations, written in topological order.

    Attributes:
        nodes: first the inputs (label `input`), then the operations, each after all its sources,
            last the output (label `output`).

    Raises:
        ArchitectureError: a node reads itself or a later node, or input or output is missing.
    """

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        labels = [node.operation for node in self.nodes]
        if len(labels) < 2 or labels[0] != INPUT or labels[-1] != OUTPUT:
            raise ArchitectureError(
                f"an architecture starts with a node '{INPUT}' and ends with a node '{OUTPUT}', "
                f"but the labels are {labels}"
            )
        if OUTPUT in labels[:-1] or INPUT in labels[self.inputs :]:
            raise ArchitectureError(
                f"the nodes '{INPUT}' come first and one node '{OUTPUT}' last, "
                f"but the labels are {labels}"
            )
        for position, node in enumerate(self.nodes):
            self._check_node(position, node)

    def _check_node(self, position: int, node: Node) -> None:
        for source in node.inputs:
            if not 0 <= source < position:
                raise ArchitectureError(
                    f"node {position} reads node {source}: a node reads only earlier nodes "
                    "(Architecture.from_edges sorts them, and reports a cycle)"
                )
        if isinstance(node.operation, Architecture):
            wanted = node.operation.inputs
            if wanted > 1 and len(node.inputs) != wanted:
                raise ArchitectureError(
                    f"node {position} nests an architecture of {wanted} inputs "
                    f"but reads {len(node.inputs)} nodes"
                )

    @classmethod
    def from_edges(
        cls, labels: Sequence[str | Architecture], edges: Iterable[tuple[int, int]]
    ) -> Architecture:
        """Build an architecture from nodes in any order.

        Args:
            labels: the operation of each node.
            edges: pairs (source, target) of positions in `labels`.

        Raises:
            ArchitectureError: an edge names no node, or the edges close a cycle.
        """
        sources: list[list[int]] = [[] for _ in labels]
        for source, target in edges:
            if not (0 <= source < len(labels) and 0 <= target < len(labels)):
                raise ArchitectureError(
                    f"the edge {(source, target)} names a node outside 0..{len(labels) - 1}"
                )
            sources[target].append(source)
        order = _topological_order(labels, sources)
        nodes = [Node(label, tuple(read)) for label, read in zip(labels, sources, strict=True)]
        return cls(_renumbered(nodes, order))

    @property
    def inputs(self) -> int:
        """The number of input nodes."""
        return next(i for i, node in enumerate(self.nodes) if node.operation != INPUT)

    @cached_property
    def connected(self) -> bool:
        """True if a path of operations leads from an input to the output."""
        return bool(self.canonical().nodes[-1].inputs)

    @cached_property
    def _canonical(self) -> Architecture:
        nodes = _Simplification().apply(self)
        labels = [str(node.operation) for node in nodes]
        order = canonical_order(labels, [node.inputs for node in nodes], self.inputs)
        return Architecture(_renumbered(nodes, order))

    def _repr_svg_(self) -> str:
        return svg(self)

    def canonical(self) -> Architecture:
        """Return the one graph that represents all graphs of the same network.

        Nested architectures are flattened, nodes without a path from an input and to the output
        are removed, identities and sums are contracted (a contracted sum is a node with several
        inputs), and the order of the nodes does not depend on how they were numbered. Sharing is
        kept: two parallel convolutions are not one that is used twice.
        """
        return self._canonical

    @cached_property
    def key(self) -> str:
        """A hash of the canonical graph; equal keys mean the same network."""
        graph = [[node.operation, node.inputs] for node in self.canonical().nodes]
        return hashlib.sha256(json.dumps(graph).encode()).hexdigest()[:24]


def chain(operations: Sequence[str | Architecture]) -> Architecture:
    """Return the architecture that applies `operations` one after another."""
    labels = (INPUT, *operations, OUTPUT)
    return Architecture.from_edges(labels, itertools.pairwise(range(len(labels))))


def _topological_order(
    labels: Sequence[str | Architecture], sources: Sequence[Sequence[int]]
) -> list[int]:
    """Return inputs first, then every node after its sources, the output last."""
    rank: Mapping[str, int] = {INPUT: 0, OUTPUT: 2}

    def priority(node: int) -> int:
        label = labels[node]
        return rank.get(label, 1) if isinstance(label, str) else 1

    order: list[int] = []
    placed: set[int] = set()
    waiting = sorted(range(len(labels)), key=lambda node: (priority(node), node))
    while waiting:
        ready = [node for node in waiting if placed.issuperset(sources[node])]
        if not ready:
            raise ArchitectureError(
                f"the edges close a cycle among the nodes {sorted(waiting)}: "
                "an architecture is acyclic, remove one of the edges between them"
            )
        order.extend(ready)
        placed.update(ready)
        waiting = [node for node in waiting if node not in placed]
    order.sort(key=priority)
    return order


def _renumbered(nodes: Sequence[Node], order: Sequence[int]) -> tuple[Node, ...]:
    """Return the nodes in a new order; sources are sorted unless a nested node reads them."""
    position = {node: index for index, node in enumerate(order)}

    def inputs(node: Node) -> tuple[int, ...]:
        read = [position[source] for source in node.inputs]
        return tuple(sorted(read) if isinstance(node.operation, str) else read)

    return tuple(Node(nodes[old].operation, inputs(nodes[old]), nodes[old].name) for old in order)


_Terms = tuple[int, ...]  # a value as a sum of nodes, ascending; one may occur several times


class _Simplification:
    """Flattening of nested architectures, contraction of identities and sums, pruning."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def apply(self, architecture: Architecture) -> list[Node]:
        """Return the remaining nodes of `architecture`, in some topological order."""
        inputs = [self._add(INPUT, ()) for _ in range(architecture.inputs)]
        output = self._graph(architecture, inputs)
        nodes = [*self.nodes, Node(OUTPUT, output)]
        alive = {len(nodes) - 1, *range(architecture.inputs)}
        for position in reversed(range(len(nodes))):
            if position in alive:
                alive.update(nodes[position].inputs)
        return list(_renumbered(nodes, sorted(alive)))

    def _add(self, operation: str, terms: _Terms, name: str = "") -> _Terms:
        self.nodes.append(Node(operation, terms, name))
        return (len(self.nodes) - 1,)

    def _graph(self, architecture: Architecture, inputs: list[_Terms], prefix: str = "") -> _Terms:
        """Add the operations of `architecture` to the nodes, and return the value of its output."""
        values = list(inputs)
        for node in architecture.nodes[len(inputs) :]:
            read = [values[source] for source in node.inputs]
            values.append(self._value(node.operation, read, prefix + node.name))
        return values[-1]

    def _value(self, operation: str | Architecture, read: list[_Terms], name: str) -> _Terms:
        total = _sum(read)
        if isinstance(operation, Architecture):
            inputs = read if operation.inputs > 1 else [total]
            return self._graph(operation, inputs, f"{name}{NAME_DELIMITER}")
        if operation == ZERO or not total:
            return ()
        if operation == CONCAT:
            return self._concat([terms for terms in read if terms])
        if operation in (IDENTITY, OUTPUT):
            return total if len(total) <= LARGEST_SUM else self._add(IDENTITY, total)
        return self._add(operation, total, name)

    def _concat(self, parts: list[_Terms]) -> _Terms:
        if len(parts) == 1:
            return parts[0]
        # A sum cannot be distributed over a concatenation, so here it stays a node.
        nodes = [part if len(part) == 1 else self._add(IDENTITY, part) for part in parts]
        return self._add(CONCAT, _sum(nodes))


def _sum(parts: Iterable[_Terms]) -> _Terms:
    return tuple(sorted(itertools.chain.from_iterable(parts)))
