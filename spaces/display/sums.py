"""Residual streams: sums that grow along a network, as nodes of their own in a drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from spaces.architecture.labels import CONCAT
from spaces.display.drawn import Drawn, DrawnNode

SUM = "+"
"""The label of a sum that is drawn as a node."""

MIN_SUMS = 4
"""Nested sums from which on they are a stream; the edges of a cell stay as they are."""

Summands = frozenset[int]


@dataclass(frozen=True)
class Shown:
    """A node of a drawing; see `spaces.Node`."""

    operation: str | Drawn
    inputs: tuple[int, ...]


def with_sums(nodes: Sequence[DrawnNode]) -> list[DrawnNode]:
    """Return the nodes of a graph with the sums of its residual streams as nodes.

    In a canonical graph every node reads all terms of its sum, so the edges of a residual stream
    grow with the square of the depth. Here each sum of a stream adds to the one before it.
    """
    before = _streams({Summands(node.inputs) for node in nodes if _adds(node)})
    if not before:
        return list(nodes)
    made: list[DrawnNode] = []
    at: list[int] = []  # of each node
    at_sum: dict[Summands, int] = {}
    for number, node in enumerate(nodes):
        summands = Summands(node.inputs)
        if _adds(node) and summands in at_sum:
            inputs: tuple[int, ...] = (at_sum[summands],)
        else:
            inputs = tuple(at[source] for source in node.inputs)
        at.append(len(made))
        made.append(Shown(node.operation, inputs))
        for each in sorted((s for s in before if max(s) == number), key=len):
            rest = each - before[each]
            earlier = (at_sum[before[each]],) if before[each] else ()
            at_sum[each] = len(made)
            made.append(Shown(SUM, (*earlier, *(at[source] for source in sorted(rest)))))
    return made


def _adds(node: DrawnNode) -> bool:
    """Return whether a node reads the sum of several different nodes."""
    adds = isinstance(node.operation, str) and node.operation != CONCAT
    return adds and 1 < len(node.inputs) == len({*node.inputs})


def _streams(sums: set[Summands]) -> dict[Summands, Summands]:
    """Return each sum of a stream with the largest sum that it contains, empty for the first."""
    before: dict[Summands, Summands] = {}
    length: dict[Summands, int] = {}
    for each in sorted(sums, key=lambda s: (len(s), sorted(s))):
        inner = max((s for s in before if s < each), key=len, default=Summands())
        before[each], length[each] = inner, length.get(inner, 0) + 1
    stream: dict[Summands, Summands] = {}
    for each in sums:
        if length[each] >= MIN_SUMS:
            while each:
                stream[each] = before[each]
                each = before[each]
    return stream
