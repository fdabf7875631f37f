"""Motifs: parts of networks with choices inside, which nest to any depth.

A motif is a rule of a context-free grammar (Schrodi et al. 2023, "Construction of hierarchical
neural architecture search spaces based on context-free grammars"): `Choice` is "one of",
`Chain` and `Repeat` are "one after another", `Graph` is a directed acyclic graph with a motif on
every edge (Liu et al. 2018, "Hierarchical representations for efficient architecture search").
Any object with the two methods of `Motif` is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Protocol

from spaces.architecture.labels import edge_name
from spaces.motifs.families import Choices, Family
from spaces.motifs.layers import Custom, Layer
from spaces.motifs.plan import Draft, Plan, layers
from spaces.motifs.scope import Above, Chosen, Is, Scope
from spaces.operations.operations import Operation
from spaces.space import SpaceError


class Motif(Protocol):
    """A part of a network with choices inside."""

    def declare(self, scope: Scope) -> None:
        """Add the choices of the motif to the configuration space at `scope`."""
        ...

    def plan(self, chosen: Chosen, channels_in: int) -> Plan:
        """Return the plan of the chosen part.

        Args:
            chosen: the values of the choices at the motif's scope.
            channels_in: of the input.
        """
        ...


@dataclass(frozen=True)
class Fixed:
    """Layers one after another, without any choice."""

    layers: tuple[Layer, ...]

    def declare(self, scope: Scope) -> None:
        """See `Motif.declare`: there is nothing to choose."""

    def plan(self, chosen: Chosen, channels_in: int) -> Plan:
        """See `Motif.plan`."""
        return layers(channels_in, self.layers)


def operations(
    mapping: Mapping[str, Operation], width: int | None = None, stride: int = 1
) -> dict[str, Motif]:
    """Wrap operations as alternatives of a `Choice`.

    Args:
        mapping: from a name to a function (channels_in, channels_out, stride) -> nn.Module.
        width: channels out; None keeps those of the input.
        stride: of all of them.
    """
    return {name: Fixed((Custom(name, op, width, stride),)) for name, op in mapping.items()}


@dataclass(frozen=True)
class Choice:
    """One of several motifs, whose own choices are active only where it is chosen.

    Attributes:
        alternatives: by name.
        name: of the choice.
    """

    alternatives: Mapping[str, Motif]
    name: str = "motif"

    def __post_init__(self) -> None:
        if not self.alternatives:
            raise SpaceError(f"the choice '{self.name}' has no alternatives: add a motif")

    def declare(self, scope: Scope) -> None:
        """See `Motif.declare`: the choice, and the choices of each alternative."""
        parent = scope.categorical(self.name, list(self.alternatives))
        for name, motif in self.alternatives.items():
            motif.declare(scope.inside(name, Is(parent, name)))

    def plan(self, chosen: Chosen, channels_in: int) -> Plan:
        """See `Motif.plan`: the chosen motif."""
        name = str(chosen[self.name])
        return self.alternatives[name].plan(chosen.inside(name), channels_in).within(name)


@dataclass(frozen=True)
class Chain:
    """Motifs one after another.

    Attributes:
        parts: by name.
    """

    parts: Mapping[str, Motif]

    def declare(self, scope: Scope) -> None:
        """See `Motif.declare`: the choices of each part."""
        for name, motif in self.parts.items():
            motif.declare(scope.inside(name))

    def plan(self, chosen: Chosen, channels_in: int) -> Plan:
        """See `Motif.plan`: the parts, each for the channels of the one before."""
        draft, node = Draft(channels_in), 0
        for name, motif in self.parts.items():
            plan = motif.plan(chosen.inside(name), draft.channels(node))
            node = draft.nest(plan, node, name=name)
        return draft.finish(node)


@dataclass(frozen=True)
class Repeat:
    """A motif several times, each time with its own choices.

    Attributes:
        motif: the motif that is repeated.
        least: the smallest number of repetitions.
        most: the largest number of repetitions.
        name: of one repetition, to which its number is added.
    """

    motif: Motif
    least: int
    most: int
    name: str = "part"

    def __post_init__(self) -> None:
        if not 0 <= self.least <= self.most or self.most < 1:
            raise SpaceError(
                f"a depth is a number from 0 up and its bounds ascend to 1 or more, "
                f"not {self.least} to {self.most}"
            )

    def declare(self, scope: Scope) -> None:
        """See `Motif.declare`: the depth, and the choices of each repetition up to it."""
        depth = scope.integer("depth", self.least, self.most)
        for number in range(1, self.most + 1):
            conditions = () if number <= self.least else (Above(depth, number - 1),)
            self.motif.declare(scope.inside(f"{self.name}{number}", *conditions))

    def plan(self, chosen: Chosen, channels_in: int) -> Plan:
        """See `Motif.plan`: the repetitions, each for the channels of the one before."""
        draft, node = Draft(channels_in), 0
        for number in range(1, int(chosen["depth"]) + 1):
            name = f"{self.name}{number}"
            plan = self.motif.plan(chosen.inside(name), draft.channels(node))
            node = draft.nest(plan, node, name=name)
        return draft.finish(node)


@dataclass(frozen=True)
class Graph:
    """A directed acyclic graph with a motif on every edge; nodes are sums.

    Attributes:
        edge: the motif on each edge; it keeps the channels, and may pass nothing.
        nodes: the number of nodes, input and output included.
    """

    edge: Motif
    nodes: int = 4

    def __post_init__(self) -> None:
        if self.nodes < 2:
            raise SpaceError(f"a graph has at least 2 nodes, input and output, not {self.nodes}")

    @property
    def edges(self) -> list[tuple[int, int]]:
        """Pairs (source, target)."""
        return sorted(combinations(range(self.nodes), 2), key=lambda edge: edge[::-1])

    def declare(self, scope: Scope) -> None:
        """See `Motif.declare`: the choices of every edge."""
        for edge in self.edges:
            self.edge.declare(scope.inside(edge_name(edge)))

    def plan(self, chosen: Chosen, channels_in: int) -> Plan:
        """See `Motif.plan`: the graph."""
        plans = {
            edge: self.edge.plan(chosen.inside(edge_name(edge)), channels_in) for edge in self.edges
        }
        return graph(channels_in, self.nodes, plans)


def graph(channels_in: int, nodes: int, edges: Mapping[tuple[int, int], Plan]) -> Plan:
    """Plan a directed acyclic graph of sums.

    Args:
        channels_in: of every node.
        nodes: the number of nodes, input and output included.
        edges: the plan on each edge (source, target).
    """
    draft, sums = Draft(channels_in), [0]
    for target in range(1, nodes):
        read = [
            draft.nest(edges[edge], sums[edge[0]], name=edge_name(edge))
            for edge in ((source, target) for source in range(target))
        ]
        sums.append(draft.sum(*read))
    return draft.finish(sums[-1])


@dataclass(frozen=True)
class Single:
    """One block, with the choices of its family.

    Attributes:
        family: of the block.
    """

    family: Family

    def declare(self, scope: Scope) -> None:
        """See `Motif.declare`: the choices of the family."""
        _declare(scope, {**self.family.shared, **self.family.own})

    def plan(self, chosen: Chosen, channels_in: int) -> Plan:
        """See `Motif.plan`: the block."""
        choices = {**self.family.shared, **self.family.own}
        read = {name: _read(chosen, name, of) for name, of in choices.items()}
        return self.family.make(channels_in, 0, read)


@dataclass(frozen=True)
class Stage:
    """Blocks of one family one after another, as in most hand-made networks.

    Attributes:
        families: by name; one is chosen for the whole stage.
        depth: the smallest and the largest number of blocks.
        choice: the name of the choice of the family, which needs several families.
    """

    families: Mapping[str, Family]
    depth: tuple[int, int] = (1, 4)
    choice: str = "family"

    def __post_init__(self) -> None:
        low, high = self.depth
        if not 1 <= low <= high:
            raise SpaceError(f"a depth is at least 1 and its bounds ascend, not {low} to {high}")
        if not self.families:
            raise SpaceError("a stage has no family of blocks to choose from: add one")

    def declare(self, scope: Scope) -> None:
        """See `Motif.declare`: family, depth, and the choices of stage and blocks."""
        low, high = self.depth
        parent = scope.categorical(self.choice, list(self.families)) if self._choosing else None
        depth = scope.integer("depth", low, high) if low < high else None
        for name, family in self.families.items():
            chosen = () if parent is None else (Is(parent, name),)
            inner = scope.inside(name, *chosen)
            _declare(inner, family.shared)
            for number in range(1, high + 1):
                deep = () if number <= low or depth is None else (Above(depth, number - 1),)
                _declare(inner.inside(f"block{number}", *chosen, *deep), family.own)

    @property
    def _choosing(self) -> bool:
        return len(self.families) > 1

    def plan(self, chosen: Chosen, channels_in: int) -> Plan:
        """See `Motif.plan`: the blocks."""
        name = str(chosen[self.choice]) if self._choosing else next(iter(self.families))
        family, inner = self.families[name], chosen.inside(name)
        low, high = self.depth
        shared: Choices = {key: _read(inner, key, of) for key, of in family.shared.items()}
        draft, node = Draft(channels_in), 0
        for position in range(int(chosen["depth"]) if low < high else low):
            block = inner.inside(f"block{position + 1}")
            own = {key: _read(block, key, of) for key, of in family.own.items()}
            plan = family.make(draft.channels(node), position, {**shared, **own})
            node = draft.nest(plan.within(name), node, name=f"block{position + 1}")
        return draft.finish(node)


def _declare(scope: Scope, choices: Mapping[str, Sequence[object]]) -> None:
    """Declare numbers as ordinal and names as categorical; a single value is no choice."""
    for name, values in choices.items():
        if len(values) > 1 and isinstance(values[0], str):
            scope.categorical(name, values)
        elif len(values) > 1:
            scope.ordinal(name, values)


def _read(chosen: Chosen, name: str, values: Sequence[object]) -> object:
    return chosen[name] if len(values) > 1 else values[0]
