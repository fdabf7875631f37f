"""A plan: an architecture together with the meaning of its labels.

Plans are drawn node by node with a `Draft`, and nest: a plan can be an operation of another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from spaces.architecture.architecture import Architecture, Node
from spaces.architecture.labels import CONCAT, IDENTITY, INPUT, OUTPUT, ZERO
from spaces.motifs.layers import Layer
from spaces.space import SpaceError


@dataclass(frozen=True)
class Plan:
    """An architecture that can be built.

    Attributes:
        architecture: the graph.
        layers: the meaning of each label in it.
        channels_in: of its input.
        channels: of its output.
    """

    architecture: Architecture
    layers: Mapping[str, Layer] = field(repr=False)
    channels_in: int
    channels: int


class PlanMaker(Protocol):
    """A function that draws a plan for any number of input channels."""

    def __call__(self, channels_in: int, /) -> Plan:
        """Return the plan."""
        ...


class Draft:
    """A plan in the making, whose nodes are numbered from 0, the input.

    Args:
        channels: of the input.
    """

    def __init__(self, channels: int) -> None:
        self._nodes = [Node(INPUT)]
        self._channels = [channels]
        self._layers: dict[str, Layer] = {}

    def channels(self, node: int) -> int:
        """Return the channels of a node's value."""
        return self._channels[node]

    def add(self, layer: Layer, *sources: int) -> int:
        """Add a layer that reads the sum of `sources`, and return its node.

        Raises:
            SpaceError: the sources differ in their channels.
        """
        channels = self._total(sources)
        if layer.label not in (ZERO, IDENTITY):
            self._define({layer.label: layer})
        return self._node(layer.label, sources, layer.channels(channels))

    def chain(self, layers: Sequence[Layer], source: int) -> int:
        """Add layers one after another, and return the last node.

        Args:
            layers: the layers in order.
            source: the node that the first one reads.
        """
        for layer in layers:
            source = self.add(layer, source)
        return source

    def nest(self, plan: Plan, *sources: int) -> int:
        """Add a plan that reads the sum of `sources`, and return its node."""
        self._total(sources)
        self._define(plan.layers)
        return self._node(plan.architecture, sources, plan.channels)

    def sum(self, *sources: int) -> int:
        """Add the sum of `sources`, and return its node."""
        return self._node(IDENTITY, sources, self._total(sources))

    def concat(self, *sources: int) -> int:
        """Add the concatenation of `sources` along the channels, and return its node."""
        return self._node(CONCAT, sources, sum(self._channels[i] for i in sources))

    def finish(self, *sources: int) -> Plan:
        """Return the plan with the sum of `sources` as its output."""
        channels = self._total(sources)
        nodes = (*self._nodes, Node(OUTPUT, sources))
        return Plan(Architecture(nodes), self._layers, self._channels[0], channels)

    def _define(self, layers: Mapping[str, Layer]) -> None:
        for label, layer in layers.items():
            if self._layers.setdefault(label, layer) != layer:
                raise SpaceError(
                    f"two different layers are called '{label}': equal labels mean equal layers, "
                    "so give one of the operations another name"
                )

    def _node(self, operation: str | Architecture, sources: Sequence[int], channels: int) -> int:
        self._nodes.append(Node(operation, tuple(sources)))
        self._channels.append(channels)
        return len(self._nodes) - 1

    def _total(self, sources: Sequence[int]) -> int:
        widths = {self._channels[source] for source in sources}
        if len(widths) != 1:
            raise SpaceError(
                f"a sum needs summands of equal channels, not {sorted(widths) or 'no summand'}"
            )
        return widths.pop()


def sequence(channels_in: int, makers: Sequence[PlanMaker]) -> Plan:
    """Chain plans, each drawn for the channels of the one before.

    Args:
        channels_in: of the first plan.
        makers: draw the plans.
    """
    draft = Draft(channels_in)
    node = 0
    for make in makers:
        node = draft.nest(make(draft.channels(node)), node)
    return draft.finish(node)


def layers(channels_in: int, chained: Sequence[Layer]) -> Plan:
    """Plan layers one after another.

    Args:
        channels_in: of the first layer.
        chained: the layers in order.
    """
    draft = Draft(channels_in)
    return draft.finish(draft.chain(chained, 0))
