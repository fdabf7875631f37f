"""Networks that hold every network of a space, and spaces that have one of their own."""

from __future__ import annotations

import heapq
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from ConfigSpace import Configuration
from ConfigSpace.hyperparameters import NumericalHyperparameter
from jaxtyping import Float
from torch import Tensor, nn

from spaces.space import InputShape, Space, SpaceError

Active = Sequence[Sequence[int]]
"""For each edge the positions of the operations that are computed; the others are skipped."""


class SharedWeights(nn.Module, ABC):
    """A network that holds the weights of every network of a space; each is a path through it."""

    @abstractmethod
    def path(self, inputs: Tensor, configuration: Configuration) -> Tensor:
        """Return the outputs of the network of a configuration, with shared weights.

        Args:
            inputs: already normalised, (batch, *input_shape).
            configuration: of the space.
        """

    @abstractmethod
    def stand_alone(self, configuration: Configuration) -> dict[str, Tensor]:
        """Return copies of the weights of one path, as a `state_dict` of its own network."""


class Supernet(SharedWeights):
    """A network with every operation on every edge, whose edges can be mixtures of operations.

    Attributes:
        edges: the names of the edges, in the order of architecture parameters.
        operations: the names of the operations, in that order too.
    """

    edges: tuple[str, ...]
    operations: tuple[str, ...]

    @abstractmethod
    def mixture(
        self,
        images: Float[Tensor, "batch channels *size"],
        weights: Float[Tensor, "edges operations"],
        active: Active | None = None,
    ) -> Float[Tensor, "batch outputs"]:
        """Return the logits of the network whose edges are weighted sums of all operations.

        Args:
            images: already normalised.
            weights: of each operation on each edge, the same in all cells.
            active: the operations that are computed, which makes hard weights cheap; None: all.
        """

    @abstractmethod
    def ranked(self, scores: Float[np.ndarray, "edges operations"]) -> Iterator[Configuration]:
        """Yield the configurations without `zero` by the sum of their scores, highest first.

        Liu et al. (2019), "DARTS", section 2.4: zero takes no part in the discretisation.

        Args:
            scores: logarithms of probabilities, so that their sum is that of a configuration.
        """

    @abstractmethod
    def skips(self, configuration: Configuration) -> tuple[bool, ...]:
        """Return for each edge of a cell True if it is a skip connection."""

    @abstractmethod
    def weightless(self, configuration: Configuration) -> tuple[bool, ...]:
        """Return for each edge of a cell True if its operation has no weights."""

    @abstractmethod
    def candidates(self) -> Iterator[nn.Module]:
        """Yield every operation with a module, on every edge of every cell."""


@runtime_checkable
class Sharing(Protocol):
    """A space of operations on edges, with a supernet of its own."""

    def supernet(self, input_shape: InputShape, outputs: int) -> Supernet:
        """Return a supernet of the space, initialised from torch's current seed.

        Args:
            input_shape: of one input, see `InputShape`.
            outputs: the number of classes.
        """
        ...


def operation_supernet(space: Space, input_shape: InputShape, outputs: int) -> Supernet:
    """Return the supernet of a space of operations on edges, from torch's current seed.

    Args:
        space: one with a supernet of its own, such as `CellSpace`.
        input_shape: of one input, see `InputShape`.
        outputs: the number of classes.

    Raises:
        SpaceError: the space has none, or numbers, which are no operations.
    """
    if isinstance(space, Sharing):
        return space.supernet(input_shape, outputs)
    name = type(space).__name__
    choices = space.configuration_space.values()
    numbers = [choice.name for choice in choices if isinstance(choice, NumericalHyperparameter)]
    if numbers:
        raise SpaceError(
            f"{name} has no weight sharing, and cannot have: the numbers {', '.join(numbers)} "
            "are no operations to choose from; fix them, and search the cells alone (a "
            "JointSpace has them in its attribute 'space')"
        )
    raise SpaceError(
        f"{name} has no weight sharing: choose a CellSpace, or give the space a method "
        "supernet(input_shape, outputs) that returns a spaces.weight_sharing.Supernet"
    )


def most_probable(
    scores: Float[np.ndarray, "edges operations"], allowed: Sequence[int]
) -> Iterator[tuple[int, ...]]:
    """Yield one operation for each edge, by the sum of scores, highest first.

    Args:
        scores: of each operation on each edge.
        allowed: the positions of the operations that may be chosen.
    """
    ranking = [sorted(allowed, key=lambda o, row=row: -row[o]) for row in scores]  # type: ignore[misc]
    start = (0,) * len(ranking)

    def loss(ranks: tuple[int, ...]) -> float:
        edges = zip(scores, ranking, ranks, strict=True)
        return -float(sum(row[order[rank]] for row, order, rank in edges))

    waiting, seen = [(loss(start), start)], {start}
    while waiting:
        _, ranks = heapq.heappop(waiting)
        yield tuple(order[rank] for order, rank in zip(ranking, ranks, strict=True))
        for edge, rank in enumerate(ranks):
            worse = (*ranks[:edge], rank + 1, *ranks[edge + 1 :])
            if rank + 1 < len(allowed) and worse not in seen:
                seen.add(worse)
                heapq.heappush(waiting, (loss(worse), worse))
