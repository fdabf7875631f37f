"""The processes that train one network together, each on its share of every batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor, nn


class Ranks(Protocol):
    """One of the processes that train a network together, as this one sees them.

    All of them call the methods in the same order, because each method may wait for the others.
    """

    @property
    def number(self) -> int:
        """The rank of this process, from 0; rank 0 alone reports and saves."""
        ...

    @property
    def alone(self) -> bool:
        """Whether there is no other rank."""
        ...

    def parallel(self, network: nn.Module) -> nn.Module:
        """Return the network whose backward pass averages the gradients over all ranks."""
        ...

    def share(self, examples: int) -> slice:
        """Return the positions that are this rank's share of a batch.

        Raises:
            ValueError: there are fewer examples than ranks.
        """
        ...

    def mean(self, losses: Float[Tensor, " share"], examples: int) -> Float[Tensor, ""]:
        """Return a number whose mean over the ranks is the mean loss of the batch.

        Args:
            losses: of this rank's share.
            examples: of the whole batch.
        """
        ...

    def average(self, values: Tensor) -> None:
        """Replace a tensor by its mean over the ranks, in place."""
        ...

    def agree(self, decision: bool) -> bool:
        """Return the decision of rank 0."""
        ...

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all ranks, in order."""
        ...


@dataclass(frozen=True)
class Alone:
    """The only process that trains a network."""

    @property
    def number(self) -> int:
        """The rank: 0."""
        return 0

    @property
    def alone(self) -> bool:
        """True."""
        return True

    def parallel(self, network: nn.Module) -> nn.Module:
        """See `Ranks.parallel`."""
        return network

    def share(self, examples: int) -> slice:
        """See `Ranks.share`."""
        return slice(None)

    def mean(self, losses: Float[Tensor, " share"], examples: int) -> Float[Tensor, ""]:
        """See `Ranks.mean`."""
        return losses.mean()

    def average(self, values: Tensor) -> None:
        """See `Ranks.average`."""

    def agree(self, decision: bool) -> bool:
        """See `Ranks.agree`."""
        return decision

    def gather(self, value: Any) -> list[Any]:
        """See `Ranks.gather`."""
        return [value]


ALONE = Alone()
