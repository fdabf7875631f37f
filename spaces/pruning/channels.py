"""Channels that depend on one another: of each set all are kept, or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]
"""The number of each channel along one dimension."""


@dataclass(frozen=True, eq=False)
class Axis:
    """The one dimension of a tensor that may lose channels.

    Attributes:
        dim: its position, not negative.
        ids: the channels along it; several positions may be one channel.
    """

    dim: int
    ids: Ids


class Channels:
    """Sets of channels that depend on one another (union-find), and those that must stay."""

    def __init__(self) -> None:
        self._parents: list[int] = []
        self._reasons: dict[int, str] = {}

    def __len__(self) -> int:
        return len(self._parents)

    def fresh(self, count: int) -> Ids:
        """Return new channels."""
        start = len(self._parents)
        self._parents.extend(range(start, start + count))
        return np.arange(start, start + count)

    def _root(self, channel: int) -> int:
        while (parent := self._parents[channel]) != channel:
            self._parents[channel] = self._parents[parent]
            channel = self._parents[channel]
        return channel

    def roots(self, ids: Ids) -> Ids:
        """Return the representative of each channel's set, its smallest number."""
        return np.array([self._root(int(channel)) for channel in ids], dtype=np.int64)

    def tie(self, a: Ids, b: Ids) -> None:
        """Make channels depend on one another.

        Args:
            a: any channels.
            b: as many others: each depends on the one at its position in `a`.
        """
        for one, other in zip(a.tolist(), b.tolist(), strict=True):
            low, high = sorted((self._root(one), self._root(other)))
            self._parents[high] = low

    def tie_across(self, ids: Ids, groups: int) -> None:
        """Make each of several groups of adjacent channels lose the same positions.

        Args:
            ids: the channels, group after group.
            groups: their number.
        """
        rows = ids.reshape(groups, -1)
        for row in rows[1:]:
            self.tie(rows[0], row)

    def fix(self, ids: Ids, reason: str) -> None:
        """Keep channels.

        Args:
            ids: which.
            reason: why, for the user.
        """
        for channel in ids.tolist():
            self._reasons.setdefault(channel, reason)

    def fixed(self) -> dict[int, str]:
        """Return the reason of each set that must stay, by its root."""
        result: dict[int, str] = {}
        for channel, reason in self._reasons.items():
            result.setdefault(self._root(channel), reason)
        return result
