"""Cell spaces: a small graph with an operation on every edge, stacked into a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

from ConfigSpace import CategoricalHyperparameter, Configuration, ConfigurationSpace

from spaces import operations
from spaces.architecture.architecture import Architecture, Node
from spaces.architecture.labels import IDENTITY, INPUT, OUTPUT, edge_name
from spaces.display.html import Shown
from spaces.operations.operations import Operation
from spaces.space import InputShape, SpaceError, configuration

if TYPE_CHECKING:
    from torch import nn

    from spaces.weight_sharing import Supernet

NASBENCH201: Mapping[str, Operation] = {
    "none": operations.zero,
    "skip_connect": operations.identity,
    "nor_conv_1x1": operations.relu_conv_bn(1),
    "nor_conv_3x3": operations.relu_conv_bn(3),
    "avg_pool_3x3": operations.average_pool(3),
}


@dataclass(frozen=True, repr=False)
class CellSpace(Shown):
    """All cells of `nodes` nodes with one of `operations` on every edge i -> j, i < j.

    A node is the sum of its incoming edges. The cell is repeated in a fixed network: a
    convolution, `stages` stages of `cells` cells, between stages a residual block that halves the
    resolution and doubles the channels, global average pooling and a linear layer (Dong & Yang
    2020, "NAS-Bench-201", figure 1).

    Attributes:
        operations: from a name to a function (channels_in, channels_out, stride) -> nn.Module.
            `operations.zero` cuts an edge, `operations.identity` passes its source on.
        nodes: of the cell, input and output included.
        channels: of the first stage.
        cells: in each stage.
        stages: of the network.

    Raises:
        SpaceError: there is no valid architecture, or a size is not positive.
    """

    operations: Mapping[str, Operation] = field(default_factory=lambda: dict(NASBENCH201))
    nodes: int = 4
    channels: int = 16
    cells: int = 5
    stages: int = 3

    def __post_init__(self) -> None:
        if self.nodes < 2:
            raise SpaceError(f"a cell has at least 2 nodes, input and output, not {self.nodes}")
        for name in ("channels", "cells", "stages"):
            if getattr(self, name) < 1:
                raise SpaceError(f"{name} is at least 1, not {getattr(self, name)}")
        for name, operation in self.operations.items():
            operations.label_of(name, operation)
        if all(operation is operations.zero for operation in self.operations.values()):
            raise SpaceError(
                f"no valid architecture: among the operations {list(self.operations)} none "
                "connects an input to the output; add one that is not zero"
            )

    @classmethod
    def nasbench201(cls, channels: int = 16, cells: int = 5, stages: int = 3) -> CellSpace:
        """Return the 15,625 cells of NAS-Bench-201: 4 nodes, 6 edges, 5 operations.

        Args:
            channels: of the first stage.
            cells: in each stage.
            stages: of the network.
        """
        return cls(NASBENCH201, 4, channels, cells, stages)

    @cached_property
    def edges(self) -> tuple[tuple[int, int], ...]:
        """Pairs (source, target), sorted by target and then by source."""
        pairs = combinations(range(self.nodes), 2)
        return tuple(sorted(pairs, key=lambda edge: (edge[1], edge[0])))

    @cached_property
    def configuration_space(self) -> ConfigurationSpace:
        """One categorical hyperparameter for each edge."""
        space = ConfigurationSpace()
        space.add(
            [
                CategoricalHyperparameter(edge_name(edge), list(self.operations))
                for edge in self.edges
            ]
        )
        return space

    @cached_property
    def _choices(self) -> tuple[str, ...]:
        """The labels of the operations, in the order of the choices."""
        return tuple(operations.label_of(name, op) for name, op in self.operations.items())

    @cached_property
    def _columns(self) -> tuple[int, ...]:
        """The position of each edge's choice in a configuration's vector."""
        return tuple(self.configuration_space.index_of[edge_name(edge)] for edge in self.edges)

    def architecture(self, configuration: Configuration) -> Architecture:
        """Return the cell: a graph node for each edge's operation, and one for each sum."""
        # By the vector, because looking up names in ConfigSpace would take most of the time.
        vector = configuration.get_array()
        return self.cell([self._choices[int(vector[column])] for column in self._columns])

    def cell(self, labels: Sequence[str]) -> Architecture:
        """Return the cell with these labels on its edges, in the order of `edges`."""
        nodes = [Node(INPUT)]
        sums = [0]
        label = iter(labels)
        for target in range(1, self.nodes):
            incoming = []
            for source in range(target):
                incoming.append(len(nodes))
                nodes.append(Node(next(label), (sums[source],)))
            last = target == self.nodes - 1
            sums.append(len(nodes))
            nodes.append(Node(OUTPUT if last else IDENTITY, tuple(incoming)))
        return Architecture(tuple(nodes))

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """See `Space.build`; dead edges of the cell have no weights."""
        return self.assemble(self.architecture(configuration).canonical(), input_shape, outputs)

    def assemble(self, cell: Architecture, input_shape: InputShape, outputs: int) -> nn.Module:
        """Return the network of a cell as it stands, dead edges included.

        Args:
            cell: an architecture whose operations are those of this space.
            input_shape: of one input, see `InputShape`.
            outputs: the number of classes.
        """
        from spaces.cells.network import Graph, stacked

        return stacked(
            lambda width: Graph(cell, self.operations, width),
            input_shape,
            outputs,
            self.channels,
            self.cells,
            self.stages,
        )

    def supernet(self, input_shape: InputShape, outputs: int) -> Supernet:
        """See `Sharing.supernet`."""
        from spaces.cells.cell_supernet import CellSupernet

        return CellSupernet(self, input_shape, outputs)

    def to_string(self, configuration: Configuration) -> str:
        """Return the cell as NAS-Bench-201 writes it: `|op~source|+|op~source|op~source|+...`."""
        groups = [
            "".join(f"|{configuration[edge_name((i, target))]}~{i}" for i in range(target)) + "|"
            for target in range(1, self.nodes)
        ]
        return "+".join(groups)

    def from_string(self, text: str) -> Configuration:
        """Return the configuration that `to_string` writes as `text`.

        Raises:
            SpaceError: the text has another form, other edges or an unknown operation.
        """
        values: dict[str, str] = {}
        for target, group in enumerate(text.strip().split("+"), start=1):
            for entry in group.strip("|").split("|"):
                operation, separator, source = entry.partition("~")
                if not separator or not source.isdigit():
                    raise SpaceError(
                        f"'{entry}' in '{text}' is not of the form operation~source, "
                        "such as nor_conv_3x3~0"
                    )
                if operation not in self.operations:
                    raise SpaceError(
                        f"unknown operation '{operation}' in '{text}': "
                        f"this space has {', '.join(self.operations)}"
                    )
                values[edge_name((int(source), target))] = operation
        if set(values) != {edge_name(edge) for edge in self.edges}:
            raise SpaceError(
                f"'{text}' does not name each edge of a cell of {self.nodes} nodes once"
            )
        return configuration(self.configuration_space, values)
