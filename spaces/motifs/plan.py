"""A plan: an architecture together with the meaning of its labels.

Plans are drawn node by node with a `Draft`, and nest: a plan can be an operation of another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from spaces.architecture.architecture import NAME_DELIMITER, Architecture, Node
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

    def within(self, name: str) -> Plan:
        """Return the same plan, whose nodes are named as parts of `name`."""
        nodes = [
            replace(node, name=f"{name}{NAME_DELIMITER}{node.name}")
            for node in self.architecture.nodes
        ]
        return replace(self, architecture=Architecture(tuple(nodes)))


class PlanMaker(Protocol):
    """A function that draws a plan for any number of input channels."""

    def __call__(self, channels_in: int, /) -> Plan:
        """Return the plan."""
        ...


class Draft:
    """A plan in the making, whose nodes are numbered from 0, the input.

    Weights can be shared between networks where their nodes have the same name, the path through
    nested plans to a node. A node without a name of its own is named by its operation, and numbered
    from the second of that name. Name the nodes that not every network of a space has, so that the
    others keep their names.

    Args:
        channels: of the input.
    """

    def __init__(self, channels: int) -> None:
        self._nodes = [Node(INPUT)]
        self._channels = [channels]
        self._layers: dict[str, Layer] = {}
        self._part = ""
        self._names: Counter[str] = Counter()

    def begin(self, part: str) -> None:
        """Begin a part of the plan, in which nodes are named and numbered by themselves."""
        self._part = f"{part}{NAME_DELIMITER}"

    def channels(self, node: int) -> int:
        """Return the channels of a node's value."""
        return self._channels[node]

    def add(self, layer: Layer, *sources: int, name: str = "") -> int:
        """Add a layer that reads the sum of `sources`, and return its node.

        Args:
            layer: the layer.
            sources: the nodes that it reads.
            name: of the node; by default that of an operation, or else of the layer's class.

        Raises:
            SpaceError: the sources differ in their channels.
        """
        channels = self._total(sources)
        if layer.label not in (ZERO, IDENTITY):
            self._define({layer.label: layer})
        name = name or str(getattr(layer, "name", type(layer).__name__.lower()))
        return self._node(layer.label, sources, layer.channels(channels), name)

    def chain(self, layers: Sequence[Layer], source: int) -> int:
        """Add layers one after another, and return the last node.

        Args:
            layers: the layers in order.
            source: the node that the first one reads.
        """
        for layer in layers:
            source = self.add(layer, source)
        return source

    def nest(self, plan: Plan, *sources: int, name: str = "") -> int:
        """Add a plan that reads the sum of `sources`, and return its node.

        Args:
            plan: the plan.
            sources: the nodes that it reads.
            name: of the node.
        """
        self._total(sources)
        self._define(plan.layers)
        return self._node(plan.architecture, sources, plan.channels, name or "part")

    def sum(self, *sources: int) -> int:
        """Add the sum of `sources`, and return its node."""
        return self._node(IDENTITY, sources, self._total(sources), IDENTITY)

    def concat(self, *sources: int) -> int:
        """Add the concatenation of `sources` along the channels, and return its node."""
        return self._node(CONCAT, sources, sum(self._channels[i] for i in sources), CONCAT)

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

    def _node(
        self, operation: str | Architecture, sources: Sequence[int], channels: int, name: str
    ) -> int:
        name = self._part + name
        self._names[name] += 1
        name += str(self._names[name]) if self._names[name] > 1 else ""
        self._nodes.append(Node(operation, tuple(sources), name))
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
