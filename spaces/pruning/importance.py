"""The importance of channels, by which the least important ones go first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor, fx

from spaces.pruning.groups import Group
from spaces.pruning.walk import Slice


class Importance(Protocol):
    """The importance of each slice of a weight."""

    def __call__(self, weight: Float[Tensor, "slices values"]) -> Float[Tensor, " slices"]:
        """Return one number per slice, not negative; larger is more important.

        Args:
            weight: the numbers of each slice.
        """
        ...


@dataclass(frozen=True)
class Norm:
    """The norm of the weights of a slice.

    Li et al. (2017), "Pruning filters for efficient ConvNets", rank filters by their L1 norm.

    Attributes:
        order: 1 or 2.
    """

    order: int = 2

    def __call__(self, weight: Float[Tensor, "slices values"]) -> Float[Tensor, " slices"]:
        """See `Importance`."""
        norms: Tensor = torch.linalg.vector_norm(weight, self.order, dim=1)
        return norms


def ranked(
    traced: fx.GraphModule, slices: Sequence[Slice], group: Group, importance: Importance
) -> list[int]:
    """Return the units of a group, the most important first; the earlier one of equals.

    The importance of a unit is the mean over all weights that lose it together (Fang et al. 2023,
    "DepGraph: towards any structural pruning", section 3.3), each divided by its mean over the
    units, so that large layers do not outvote small ones. Biases and statistics do not count.

    Args:
        traced: the network.
        slices: of all its weights.
        group: the units.
        importance: of the slices of one weight.
    """
    position = {int(root): number for number, root in enumerate(group.units)}
    total = torch.zeros(len(group.units), dtype=torch.float64)
    for each in slices:
        if not each.tensor.endswith("weight") or not position.keys() & set(each.ids.tolist()):
            continue
        layer, _, name = each.tensor.rpartition(".")
        tensor: Tensor = getattr(traced.get_submodule(layer), name)
        weight = tensor.detach().double().movedim(each.dim, 0)
        scores = importance(weight.reshape(len(weight), -1))
        units = torch.tensor([position.get(root, -1) for root in each.ids.tolist()])
        sums = torch.zeros_like(total).index_add_(0, units[units >= 0], scores[units >= 0])
        if sums.sum() > 0:
            total += sums / sums.mean()
    order = torch.argsort(total, descending=True, stable=True)
    return [int(group.units[number]) for number in order.tolist()]
