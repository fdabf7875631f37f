"""The groups of channels whose number can be chosen, found along a traced network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from torch import fx, nn

from spaces.pruning.channels import Axis, Ids
from spaces.pruning.function_rules import FUNCTION_RULES
from spaces.pruning.layer_rules import LAYER_RULES
from spaces.pruning.walk import Slice, Value, Walk, along


@dataclass(frozen=True, eq=False)
class Group:
    """Units of channels that the same layers make and read; any number of units may stay.

    Attributes:
        name: of the choice: a qualified name, and `width` or `heads`.
        units: the root of each unit.
        per_unit: the number that a unit adds to what the user sees.
        layers: the qualified names of the modules that make these channels.
    """

    name: str
    units: Ids
    per_unit: int
    layers: tuple[str, ...]

    @property
    def width(self) -> int:
        """The number of channels, or of heads, in the given network."""
        return len(self.units) * self.per_unit


@dataclass(frozen=True, eq=False)
class Dependencies:
    """Which channels of a network depend on which others; numbers are roots of sets.

    Attributes:
        traced: the network as a graph.
        values: the channels of each node's result.
        slices: the dimensions of weights that lose channels.
        groups: those whose number can be chosen, in the order of the layers.
        fixed: why the channels of a layer stay, by its qualified name.
        channels: the number of all channels, which is above that of each root.
    """

    traced: fx.GraphModule
    values: Mapping[fx.Node, Value]
    slices: Sequence[Slice]
    groups: Sequence[Group]
    fixed: Mapping[str, str]
    channels: int


def dependencies(traced: fx.GraphModule, keep: tuple[str, ...] = ()) -> Dependencies:
    """Find the groups of a network.

    Args:
        traced: a graph with shapes, see `trace`.
        keep: qualified names of modules that stay as they are, with everything inside them.
    """
    walk = Walk(traced, keep)
    along(walk, FUNCTION_RULES, LAYER_RULES)
    roots = walk.channels.roots
    slices = [
        Slice(each.tensor, each.dim, roots(each.ids), each.produces)
        for each in walk.slices.values()
    ]
    reasons = walk.channels.fixed()
    return Dependencies(
        traced,
        {node: _rooted(walk, value) for node, value in walk.values.items()},
        slices,
        _groups(traced, slices, reasons),
        _fixed(slices, reasons),
        len(walk.channels),
    )


def _rooted(walk: Walk, value: Value) -> Value:
    if isinstance(value, tuple):
        return tuple(None if a is None else Axis(a.dim, walk.channels.roots(a.ids)) for a in value)
    return Axis(value.dim, walk.channels.roots(value.ids)) if isinstance(value, Axis) else value


def _groups(
    traced: fx.GraphModule, slices: Sequence[Slice], fixed: Mapping[int, str]
) -> list[Group]:
    """Return the units by the layers, and the number of times in each, in which they occur."""
    signatures: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for number, each in enumerate(slices):
        for root, count in zip(*np.unique(each.ids, return_counts=True), strict=True):
            signatures[int(root)].append((number, int(count)))
    units: dict[tuple[tuple[int, int], ...], list[int]] = defaultdict(list)
    for root in sorted(signatures.keys() - fixed.keys()):
        units[tuple(signatures[root])].append(root)
    groups = []
    for signature, members in units.items():
        makers = [(n, count) for n, count in signature if slices[n].produces]
        if makers and len(members) > 1:
            layers = tuple(dict.fromkeys(slices[n].layer for n, _ in makers))
            groups.append(_group(traced, slices[makers[0][0]], makers[0][1], members, layers))
    order = {each.layer: number for number, each in reversed([*enumerate(slices)])}
    return sorted(_distinct(groups), key=lambda group: order[group.layers[0]])


def _group(
    traced: fx.GraphModule, first: Slice, count: int, members: list[int], layers: tuple[str, ...]
) -> Group:
    heads = isinstance(traced.get_submodule(first.layer), nn.MultiheadAttention)
    name = f"{first.layer}.{'heads' if heads else 'width'}"
    return Group(name, np.array(members), 1 if heads else count, layers)


def _distinct(groups: list[Group]) -> list[Group]:
    """Number the groups that one layer makes: their names would be the same."""
    result, taken = [], set()
    for group in groups:
        name, count = group.name, 1
        while name in taken:
            count += 1
            name = f"{group.name} {count}"
        taken.add(name)
        result.append(Group(name, group.units, group.per_unit, group.layers))
    return result


def _fixed(slices: Sequence[Slice], reasons: Mapping[int, str]) -> dict[str, str]:
    """Return a reason for each layer of which no channel may go."""
    result: dict[str, str] = {}
    for each in slices:
        found = [reasons[root] for root in each.ids.tolist() if root in reasons]
        if each.produces and len(found) == len(each.ids):
            result.setdefault(each.layer, found[0])
        elif each.produces and len(set(each.ids.tolist())) == 1:
            result.setdefault(each.layer, "all its channels depend on one another")
    return result
