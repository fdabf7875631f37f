"""Families: the hyperparameters that make the same choice for repeated parts of a network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MAX_FAMILIES = 16
"""The largest families of a space; the hyperparameters of all others are one more family."""


@dataclass(frozen=True)
class Family:
    """Columns of encoded configurations that share a lengthscale.

    Attributes:
        columns: their positions.
        size: the number of hyperparameters that they encode.
    """

    columns: tuple[int, ...]
    size: int


def families(names: Iterable[str]) -> tuple[tuple[int, ...], ...]:
    """Group hyperparameters by the last part of their names, without its numbers.

    `layer1:heads` and `layer2:heads` are one family, `width` is another, and `block 1` and
    `block 2` are a third.

    Args:
        names: of all hyperparameters of a space, in its order.

    Returns:
        The positions of each family's members, the largest families first. Empty where no choice is
        repeated, or where all are one family: then there is nothing to tell apart.
    """
    members: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        members.setdefault(re.sub(r"\d+", "", name.rsplit(":", 1)[-1]), []).append(position)
    groups = sorted(members.values(), key=len, reverse=True)
    if len(groups) < 2 or len(groups[0]) < 2:
        return ()
    largest, others = groups[:MAX_FAMILIES], groups[MAX_FAMILIES:]
    rest = [sorted(position for group in others for position in group)] if others else []
    return tuple(tuple(group) for group in [*largest, *rest])


def family_columns(
    vectors: Floats, hyperparameters: Sequence[slice], groups: Sequence[Sequence[int]], start: int
) -> tuple[Floats, tuple[Family, ...]]:
    """Return the columns of families, and of the means over their members.

    In a deep network the sum over all layers often matters more than which layer has what. A mean
    is taken over the active members; a family whose members differ in their columns has none.

    Args:
        vectors: the columns of all hyperparameters, as `spaces.encoding` makes them: the last
            column of a hyperparameter is 0 where it is active.
        hyperparameters: the columns of each hyperparameter.
        groups: the result of `families`.
        start: the position of the first column of means.

    Returns:
        The columns of means (configurations, columns), and the families.
    """
    own, of_means, blocks = [], [], [np.empty((len(vectors), 0))]
    for members in groups:
        slices = [hyperparameters[member] for member in members]
        columns = tuple(c for each in slices for c in range(each.start, each.stop))
        own.append(Family(columns, len(members)))
        if len(members) > 1 and len({each.stop - each.start for each in slices}) == 1:
            block = _mean(np.stack([vectors[:, each] for each in slices]))
            of_means.append(Family(tuple(range(start, start + block.shape[1])), 1))
            blocks.append(block)
            start += block.shape[1]
    return np.hstack(blocks), (*own, *of_means)


def _mean(members: Floats) -> Floats:
    """Return the mean over active members, or over all where none is: (configurations, columns)."""
    values, active = members[..., :-1], members[..., -1:] == 0
    weights = np.where(active.any(axis=0), active, 1.0)
    return np.asarray((values * weights).sum(axis=0) / weights.sum(axis=0))
