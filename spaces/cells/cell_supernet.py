"""The supernet of a cell space: one cell that holds every operation on every edge."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, final

import numpy as np
import torch
from ConfigSpace import Configuration, ConfigurationSpace
from jaxtyping import Float
from torch import Tensor, nn

from spaces import operations
from spaces.architecture.architecture import Architecture
from spaces.architecture.labels import IDENTITY, ZERO, edge_name
from spaces.architecture.node_order import canonical_order
from spaces.cells.network import propagate, stacked
from spaces.operations.operations import Operation
from spaces.space import InputShape, configuration
from spaces.weight_sharing import Active, Supernet, most_probable

Images = Float[Tensor, "batch channels *size"]


class Cells(Protocol):
    """The part of a `CellSpace` that its supernet reads; the attributes are documented there."""

    @property
    def operations(self) -> Mapping[str, Operation]: ...  # noqa: D102
    @property
    def channels(self) -> int: ...  # noqa: D102
    @property
    def cells(self) -> int: ...  # noqa: D102
    @property
    def stages(self) -> int: ...  # noqa: D102
    @property
    def edges(self) -> tuple[tuple[int, int], ...]: ...  # noqa: D102
    @property
    def configuration_space(self) -> ConfigurationSpace: ...  # noqa: D102
    def cell(self, labels: Sequence[str]) -> Architecture: ...  # noqa: D102


class SharedCell(nn.Module):
    """A cell with every operation on every edge.

    Args:
        space: of the cells.
        channels: in and out of every operation.
    """

    def __init__(self, space: Cells, channels: int) -> None:
        super().__init__()
        self.edges = space.edges
        self.kinds = list(space.operations.values())
        self.operations = nn.ModuleDict(
            {
                _tag(edge, position): operation(channels, channels, 1)
                for edge in range(len(self.edges))
                for position, operation in enumerate(self.kinds)
                if operation not in (operations.zero, operations.identity)
            }
        )

    def _module(self, tag: str) -> nn.Module | None:
        return self.operations[tag] if tag in self.operations else None  # noqa: SIM401  # no `get`

    def path(self, x: Images, cell: Architecture) -> Images:
        """Return the output of one cell of the space.

        Args:
            x: the input of the cell.
            cell: its graph; labels are the tags of operations.
        """
        labels = [str(node.operation) for node in cell.nodes]
        modules = [self._module(tag) for tag in labels]
        return propagate(x, labels, [node.inputs for node in cell.nodes], modules)

    def mixture(
        self, x: Images, weights: Float[Tensor, "edges operations"], active: Active
    ) -> Images:
        """Return the output of the cell whose edges are weighted sums.

        Args:
            x: the input of the cell.
            weights: of each operation on each edge.
            active: for each edge the positions of the operations that are computed.
        """
        values: dict[int, Tensor] = {0: x}
        for edge, (source, target) in enumerate(self.edges):
            for position in active[edge]:
                if self.kinds[position] is operations.zero:
                    continue
                value, module = values[source], self._module(_tag(edge, position))
                result = value if module is None else module(value)
                weighted = weights[edge, position] * result
                values[target] = values[target] + weighted if target in values else weighted
            # Edges are sorted by their targets: after the one from the node before it, the sum of
            # a target is complete, or empty.
            if source == target - 1 and target not in values:
                values[target] = torch.zeros_like(x)
        return values[self.edges[-1][1]]


@final
class CellSupernet(Supernet):
    """Shared cells in the network of a `CellSpace`; see `Supernet`.

    Args:
        space: of the cells.
        input_shape: of one input, see `InputShape`.
        outputs: the number of classes.
    """

    def __init__(self, space: Cells, input_shape: InputShape, outputs: int) -> None:
        super().__init__()
        self.space = space
        self.edges = tuple(edge_name(edge) for edge in space.edges)
        self.operations = tuple(space.operations)
        self.layers = stacked(
            lambda width: SharedCell(space, width),
            input_shape,
            outputs,
            space.channels,
            space.cells,
            space.stages,
        )

    def path(self, images: Images, configuration: Configuration) -> Float[Tensor, "batch outputs"]:
        """See `Supernet.path`."""
        cell = self._tagged(configuration)
        return self._run(images, lambda layer, x: layer.path(x, cell))

    def mixture(
        self,
        images: Images,
        weights: Float[Tensor, "edges operations"],
        active: Active | None = None,
    ) -> Float[Tensor, "batch outputs"]:
        """See `Supernet.mixture`."""
        computed = [range(len(self.operations))] * len(self.edges) if active is None else active
        return self._run(images, lambda layer, x: layer.mixture(x, weights, computed))

    def _run(self, x: Images, cell: Callable[[SharedCell, Images], Images]) -> Tensor:
        for layer in self.layers:
            x = cell(layer, x) if isinstance(layer, SharedCell) else layer(x)
        return x

    def stand_alone(self, configuration: Configuration) -> dict[str, Tensor]:
        """See `Supernet.stand_alone`."""
        modules = self._modules_of(configuration)
        state: dict[str, Tensor] = {}
        for number, layer in enumerate(self.layers):
            parts = {f"{number}": layer}
            if isinstance(layer, SharedCell):
                parts = {
                    f"{number}.operations.{position}": layer.operations[tag]
                    for position, tag in modules.items()
                }
            for prefix, part in parts.items():
                for name, tensor in part.state_dict().items():
                    state[f"{prefix}.{name}"] = tensor.clone()
        return state

    def ranked(self, scores: Float[np.ndarray, "edges operations"]) -> Iterator[Configuration]:
        """See `Supernet.ranked`."""
        kinds = list(self.space.operations.values())
        allowed = [i for i, operation in enumerate(kinds) if operation is not operations.zero]
        for positions in most_probable(scores, allowed):
            names = [self.operations[position] for position in positions]
            values = dict(zip(self.edges, names, strict=True))
            yield configuration(self.space.configuration_space, values)

    def skips(self, configuration: Configuration) -> tuple[bool, ...]:
        """See `Supernet.skips`."""
        kinds = [self.space.operations[str(configuration[edge])] for edge in self.edges]
        return tuple(kind is operations.identity for kind in kinds)

    def weightless(self, configuration: Configuration) -> tuple[bool, ...]:
        """See `Supernet.weightless`."""
        modules = next(x for x in self.layers if isinstance(x, SharedCell)).operations
        tags = [
            _tag(edge, self.operations.index(str(configuration[name])))
            for edge, name in enumerate(self.edges)
        ]
        return tuple(tag not in modules or not list(modules[tag].parameters()) for tag in tags)

    def candidates(self) -> Iterator[nn.Module]:
        """See `Supernet.candidates`."""
        for layer in self.layers:
            if isinstance(layer, SharedCell):
                yield from layer.operations.values()

    def _tagged(self, configuration: Configuration) -> Architecture:
        """Return the canonical cell, whose labels are the tags of operations."""
        labels = []
        for edge, name in enumerate(self.edges):
            operation = str(configuration[name])
            label = operations.label_of(operation, self.space.operations[operation])
            tag = _tag(edge, self.operations.index(operation))
            labels.append(label if label in (ZERO, IDENTITY) else tag)
        return self.space.cell(labels).canonical()

    def _modules_of(self, configuration: Configuration) -> dict[int, str]:
        """Return the tag of each operation by its position in the network that the space builds."""
        nodes = self._tagged(configuration).nodes
        tags = [str(node.operation) for node in nodes]
        names = [self.operations[int(tag.split("-")[1])] if "-" in tag else tag for tag in tags]
        # Tags tell equal operations on different edges apart, so the order of the space differs.
        order = canonical_order(names, [node.inputs for node in nodes], 1)
        return {new: tags[old] for new, old in enumerate(order) if "-" in tags[old]}


def _tag(edge: int, operation: int) -> str:
    return f"{edge}-{operation}"
