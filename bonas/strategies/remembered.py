"""What a strategy derives from a space once, and keeps from one proposal to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from spaces.space import Space


class OfSpace(Protocol):
    """Something that was derived from a space."""

    @property
    def space(self) -> Space:
        """The space."""
        ...


Derived = TypeVar("Derived", bound=OfSpace)


def remembered(memory: list[Derived], space: Space, make: Callable[[], Derived]) -> Derived:
    """What `memory` holds if it belongs to `space`, else what `make` returns, held from now on.

    It changes how long a proposal takes, and nothing else.
    """
    if not memory or memory[0].space != space:
        memory[:] = [make()]
    return memory[0]
