"""The part of an architecture that drawings read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class DrawnNode(Protocol):
    """The part of a `spaces.Node` that is drawn."""

    @property
    def operation(self) -> str | Drawn:
        """A label, or a nested graph."""
        ...

    @property
    def inputs(self) -> Sequence[int]:
        """The positions of the nodes that it reads."""
        ...


class Drawn(Protocol):
    """The part of a `spaces.Architecture` that is drawn."""

    @property
    def nodes(self) -> Sequence[DrawnNode]:
        """The nodes in topological order."""
        ...
