"""Shared motifs: the hierarchical representation of Liu et al. (2018)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from ConfigSpace.hyperparameters import Hyperparameter

from spaces import operations
from spaces.architecture.labels import edge_name
from spaces.hierarchical.space import HierarchicalSpace
from spaces.motifs.layers import Convolution, Custom
from spaces.motifs.motifs import Motif, graph
from spaces.motifs.plan import Draft, Plan, layers
from spaces.motifs.scope import AnyOf, Chosen, Is, Scope
from spaces.operations.operations import Operation
from spaces.space import SpaceError

NONE = "none"

LIU2018: Mapping[str, Operation] = {
    "conv1x1": operations.relu_conv_bn(1),
    "depthwise3x3": operations.depthwise(3),
    "separable3x3": operations.separable(3),
    "max3x3": operations.max_pool(3),
    "average3x3": operations.average_pool(3),
    "identity": operations.identity,
}


@dataclass(frozen=True)
class Level:
    """A level of the hierarchy.

    Attributes:
        motifs: the number of graphs, which the level above uses on its edges.
        nodes: of each graph, input and output included.
    """

    motifs: int
    nodes: int


@dataclass(frozen=True)
class Library:
    """Graphs whose edges are graphs of the level below, down to operations.

    In `motifs.Graph` every edge has choices of its own. Here a motif is chosen once and used by all
    edges that name it; each use has weights of its own. A motif that no edge uses is inactive.

    Attributes:
        operations: the choices for an edge of the lowest level; they keep the channels.
        levels: from the lowest to the highest, which holds the one graph that is the result.

    Raises:
        SpaceError: a size is too small, or there is more than one graph at the top.
    """

    operations: Mapping[str, Operation] = field(default_factory=lambda: LIU2018)
    levels: tuple[Level, ...] = (Level(6, 4), Level(1, 5))

    def __post_init__(self) -> None:
        if not self.levels or self.levels[-1].motifs != 1:
            raise SpaceError("the highest level holds exactly 1 motif, the whole graph")
        if any(level.motifs < 1 or level.nodes < 2 for level in self.levels):
            raise SpaceError("a level has at least 1 motif of at least 2 nodes")
        if all(operation is operations.zero for operation in self.operations.values()):
            raise SpaceError(
                "no valid architecture: no operation connects an input to the output; "
                "add one that is not zero"
            )

    def declare(self, scope: Scope) -> None:
        """See `Motif.declare`: the edges of every motif, from the highest level down."""
        users: list[Hyperparameter[Any, Any]] = []
        for number in range(len(self.levels), 0, -1):
            level = self.levels[number - 1]
            # The lowest level names operations, the others motifs or nothing.
            choices = list(self.operations)
            if number > 1:
                choices = [NONE, *(f"motif{m + 1}" for m in range(self.levels[number - 2].motifs))]
            edges = []
            for motif in range(1, level.motifs + 1):
                used = AnyOf(tuple(Is(user, f"motif{motif}") for user in users))
                inner = scope.inside(f"level{number}").inside(
                    f"motif{motif}", *([used] if users else [])
                )
                edges += [
                    inner.categorical(edge_name((source, target)), choices)
                    for source, target in combinations(range(level.nodes), 2)
                ]
            users = edges

    def plan(self, chosen: Chosen, channels_in: int) -> Plan:
        """See `Motif.plan`: the graph of the highest level."""
        return self._motif(chosen, len(self.levels), "motif1", channels_in)

    def _motif(self, chosen: Chosen, number: int, name: str, channels: int) -> Plan:
        inner = chosen.inside(f"level{number}").inside(name)
        nodes = self.levels[number - 1].nodes
        plans = {}
        for edge in combinations(range(nodes), 2):
            value = str(inner[edge_name(edge)])
            if number > 1 and value != NONE:
                plans[edge] = self._motif(chosen, number - 1, value, channels)
            else:
                op = operations.zero if number > 1 else self.operations[value]
                plans[edge] = layers(channels, [Custom(value, op)])
        return graph(channels, nodes, plans)


@dataclass(frozen=True)
class Stacked:
    """A motif with one set of choices, used at several widths.

    Attributes:
        motif: the motif, which keeps the channels.
        widths: the channels of each use; between them a convolution halves the resolution.
    """

    motif: Motif
    widths: tuple[int, ...] = (16, 32, 64)

    def declare(self, scope: Scope) -> None:
        """See `Motif.declare`: the choices of the motif, once."""
        self.motif.declare(scope)

    def plan(self, chosen: Chosen, channels_in: int) -> Plan:
        """See `Motif.plan`: the uses one after another."""
        draft, node = Draft(channels_in), 0
        for number, width in enumerate(self.widths):
            draft.begin(f"use{number + 1}")
            node = draft.add(Convolution(width, stride=2 if number else 1), node)
            node = draft.nest(self.motif.plan(chosen, width), node)
        return draft.finish(node)


def liu2018(widths: tuple[int, ...] = (16, 32, 64)) -> HierarchicalSpace:
    """Return six motifs of four nodes and a graph of five nodes made of them.

    Liu et al. (2018), "Hierarchical representations for efficient architecture search".

    Args:
        widths: the channels of each use of the graph.
    """
    return HierarchicalSpace(Stacked(Library(), widths), ())
