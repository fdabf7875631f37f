"""A canonical order of a graph's nodes: colour refinement with individualisation.

The method of McKay (1981), "Practical graph isomorphism", reduced to small labelled directed
acyclic graphs: nodes are coloured by their labels and the colours of their neighbours until nothing
changes; where nodes share a colour, each of them is singled out in turn and the smallest resulting
graph wins. Interchangeable nodes are tried only once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Colours = list[int]
Encoding = tuple[tuple[str, tuple[int, ...]], ...]


class _Graph:
    def __init__(
        self, labels: Sequence[str], sources: Sequence[tuple[int, ...]], inputs: int
    ) -> None:
        self.labels = labels
        self.sources = sources
        self.inputs = inputs
        self.readers: list[list[int]] = [[] for _ in labels]
        self.depth = [0] * len(labels)
        for node, read in enumerate(sources):
            for source in read:
                self.readers[source].append(node)
                self.depth[node] = max(self.depth[node], self.depth[source] + 1)

    def initial(self) -> Colours:
        """Colour by kind, depth and label; ascending colours are a topological order."""
        last = len(self.labels) - 1
        features = [
            # Inputs differ by their position, and the output stays last.
            (0, node, "") if node < self.inputs else (1 + (node == last), self.depth[node], label)
            for node, label in enumerate(self.labels)
        ]
        return self.refine(_ranks(features))

    def refine(self, colours: Colours) -> Colours:
        """Split colours by the colours of sources and readers until nothing changes."""
        count = len(set(colours))
        while count < len(colours):
            colours = _ranks(
                [
                    (
                        colour,
                        tuple(sorted(colours[i] for i in self.sources[node])),
                        tuple(sorted(colours[i] for i in self.readers[node])),
                    )
                    for node, colour in enumerate(colours)
                ]
            )
            if len(set(colours)) == count:
                break
            count = len(set(colours))
        return colours

    def split(self, colours: Colours, node: int) -> Colours:
        """Single out `node` as the first of its colour."""
        doubled = [2 * colour + 1 for colour in colours]
        doubled[node] -= 1
        return self.refine(_ranks(doubled))

    def encoding(self, colours: Colours) -> Encoding:
        order = sorted(range(len(colours)), key=colours.__getitem__)
        return tuple(
            (self.labels[node], tuple(sorted(colours[i] for i in self.sources[node])))
            for node in order
        )


def _ranks(features: list[Any]) -> Colours:
    rank = {feature: index for index, feature in enumerate(sorted(set(features)))}
    return [rank[feature] for feature in features]


def _ambiguous(colours: Colours) -> list[int]:
    """Return the nodes of the first colour that several nodes share, if any."""
    members: dict[int, list[int]] = {}
    for node, colour in enumerate(colours):
        members.setdefault(colour, []).append(node)
    return next((members[c] for c in sorted(members) if len(members[c]) > 1), [])


def _first_leaf(graph: _Graph, colours: Colours) -> Colours:
    while nodes := _ambiguous(colours):
        colours = graph.split(colours, nodes[0])
    return colours


def _best_leaf(graph: _Graph, colours: Colours) -> Colours:
    nodes = _ambiguous(colours)
    if not nodes:
        return colours
    best: Colours | None = None
    tried: set[Encoding] = set()
    for node in nodes:
        branch = graph.split(colours, node)
        # Two branches with an equal leaf are images of each other: all their leaves agree.
        first = graph.encoding(_first_leaf(graph, branch))
        if first in tried:
            continue
        tried.add(first)
        leaf = _best_leaf(graph, branch)
        if best is None or graph.encoding(leaf) < graph.encoding(best):
            best = leaf
    assert best is not None
    return best


def canonical_order(
    labels: Sequence[str], sources: Sequence[tuple[int, ...]], inputs: int
) -> list[int]:
    """Return node positions in an order that depends only on the graph's isomorphism class.

    Args:
        labels: the label of each node, in topological order: inputs first, the output last.
        sources: the nodes that each node reads; a node that it reads twice is listed twice.
        inputs: the number of input nodes, which keep their order.

    Returns:
        A topological order: inputs first, the output last.
    """
    graph = _Graph(labels, sources, inputs)
    colours = _best_leaf(graph, graph.initial())
    return sorted(range(len(colours)), key=colours.__getitem__)
