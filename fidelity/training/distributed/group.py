"""The ranks of a process group of `torch.distributed`."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

NO_BUFFERS = (
    {"forward_sync_buffers": False}  # its name since torch 2.13
    if "forward_sync_buffers" in inspect.signature(DistributedDataParallel).parameters
    else {"broadcast_buffers": False}
)


@dataclass(frozen=True)
class Group:
    """The ranks of the default process group, which exists already.

    Attributes:
        device: of this rank; collective operations on NCCL need it.
    """

    device: torch.device

    @property
    def number(self) -> int:
        """See `Ranks.number`."""
        return distributed.get_rank()

    @property
    def alone(self) -> bool:
        """See `Ranks.alone`."""
        return False

    def parallel(self, network: nn.Module) -> nn.Module:
        """See `Ranks.parallel`.

        Cells have parameters that no path uses, which the reducer has to look for. The buffers of
        batch normalisation are each rank's own during an epoch: they are calibrated, on all ranks
        alike, before anything reads them.
        """
        make: Any = DistributedDataParallel
        return make(network, find_unused_parameters=True, **NO_BUFFERS)  # type: ignore[no-any-return]

    def share(self, examples: int) -> slice:
        """See `Ranks.share`."""
        number, count = self.number, distributed.get_world_size()
        if examples < count:
            raise ValueError(
                f"a batch of {examples} examples cannot be shared by {count} processes: each needs "
                "one or more"
            )
        return slice(number * examples // count, (number + 1) * examples // count)

    def mean(self, losses: Float[Tensor, " share"], examples: int) -> Float[Tensor, ""]:
        """See `Ranks.mean`; the shares may differ by one example."""
        return losses.sum() * (distributed.get_world_size() / examples)

    def average(self, values: Tensor) -> None:
        """See `Ranks.average`."""
        distributed.all_reduce(values)
        values /= distributed.get_world_size()

    def agree(self, decision: bool) -> bool:
        """See `Ranks.agree`."""
        flag = torch.tensor(int(decision), device=self.device)
        distributed.broadcast(flag, src=0)
        return bool(flag.item())

    def gather(self, value: Any) -> list[Any]:
        """See `Ranks.gather`."""
        values: list[Any] = [None] * distributed.get_world_size()
        distributed.all_gather_object(values, value)
        return values
