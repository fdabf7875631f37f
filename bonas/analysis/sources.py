"""Histories, from whatever holds them: a search, its directory, a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from bonas.analysis.trajectory import Clock, Regret
from fidelity.history.history import History
from spaces.space import Space

if TYPE_CHECKING:
    from bonas.comparison import Comparison
    from bonas.search.search import Search

Source: TypeAlias = "History | Search | str | Path"
"""What stands for one history: a search, or the directory of one."""

Sources: TypeAlias = (
    "Source | Sequence[Source] | Mapping[str, Source | Sequence[Source]] | Comparison"
)
"""What stands for several: one, those of several seeds, either by name, or a comparison."""


def history_of(source: Source) -> History:
    """Return the history that a source stands for.

    Raises:
        TypeError: it stands for none, or for many.
        JournalError: there is no history in the directory, or it cannot be read.
    """
    if isinstance(source, History):
        return source
    if isinstance(source, str | Path):
        return History.load(source)
    if not isinstance(source, type) and isinstance(
        held := getattr(source, "history", None), History
    ):
        return held
    hint = ": choose one of its `runs[name][seed]`" if _is_comparison(source) else ""
    raise wrong("a history, a search or the directory of a search", source, hint)


def space_of(
    space: Space, expected: str = "the space of the architectures, such as `search.space`"
) -> Space:
    """Return the space if it is one.

    Args:
        space: of architectures.
        expected: what the error says.

    Raises:
        TypeError: it is not: a search, a configuration space, or a class.
    """
    if isinstance(space, type) or not isinstance(space, Space):
        raise wrong(expected, space)
    return space


@dataclass(frozen=True)
class Runs:
    """Histories by name, and how they are compared unless the caller says otherwise.

    Attributes:
        histories: of each name those of its seeds; the name of a single unnamed one is empty.
        clock: what the horizontal axis counts.
        regret: what is followed instead of the lowest cost, if it is known.
    """

    histories: Mapping[str, Sequence[History]]
    clock: Clock = "epochs"
    regret: Regret | None = None

    @classmethod
    def of(cls, sources: Sources, *, paired: bool = False) -> Runs:
        """Read the histories of sources.

        Args:
            sources: what stands for histories.
            paired: of a comparison, those seeds alone with which every setup found something.

        Raises:
            TypeError: they stand for no histories.
            JournalError: there is no history in a directory, or it cannot be read.
        """
        if _is_comparison(sources):
            comparison: Any = sources
            histories = comparison.paired if paired else comparison.histories
            return cls(histories, comparison.clock, comparison.regret)
        if isinstance(sources, Mapping):
            return cls({str(name): _several(given) for name, given in sources.items()})
        return cls({"": _several(sources)})

    def every(self) -> list[History]:
        """Return all histories, whatever their names."""
        return [history for histories in self.histories.values() for history in histories]


def wrong(expected: str, given: object, hint: str = "") -> TypeError:
    """Return the error that says what was expected and what was given instead."""
    if isinstance(given, type):
        return TypeError(f"expected {expected}, not the class {given.__name__} itself{hint}")
    return TypeError(f"expected {expected}, not an object of type {type(given).__name__}{hint}")


def _several(sources: Any) -> list[History]:
    if isinstance(sources, Sequence) and not isinstance(sources, str):
        return [history_of(source) for source in sources]
    return [history_of(sources)]


def _is_comparison(sources: object) -> bool:
    from bonas.comparison.comparison import Comparison

    return isinstance(sources, Comparison)
