"""Sources of histories: searches, their directories, and comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeGuard

from bonas.analysis.trajectory import Clock, Regret
from fidelity.history.goal import UNNAMED
from fidelity.history.history import History
from fidelity.tasks.task import Measure
from spaces.space import Space


class HasHistory(Protocol):
    """A search; only its history is read."""

    @property
    def history(self) -> History:
        """The history so far."""
        ...


class Ranked(Protocol):
    """The tests of a comparison: mean ranks, and their smallest significant difference."""

    @property
    def ranks(self) -> Mapping[str, float]:
        """The mean rank of each name."""
        ...

    @property
    def critical_difference(self) -> float:
        """The smallest significant difference of two mean ranks."""
        ...


class Compared(Protocol):
    """A comparison: the histories of several setups, and how they are compared."""

    @property
    def histories(self) -> Mapping[str, Sequence[History]]:
        """The runs of each setup, in the order of their seeds."""
        ...

    @property
    def paired(self) -> Mapping[str, Sequence[History]]:
        """The runs of the seeds with which every setup had a success."""
        ...

    @property
    def clock(self) -> Clock:
        """The unit in which the runs were limited."""
        ...

    @property
    def regret(self) -> Regret | None:
        """The regret of a configuration, if known."""
        ...

    def test(self) -> Ranked:
        """Test which differences are significant."""
        ...


Source: TypeAlias = History | HasHistory | str | Path
"""One history: itself, a search, or the directory of a search."""

Sources: TypeAlias = Source | Sequence[Source] | Mapping[str, Source | Sequence[Source]] | Compared
"""Several histories: one source, one per seed, either of them by name, or a comparison."""


def history_of(source: Source) -> History:
    """Return the history of a source.

    Raises:
        TypeError: the source has no history, or many.
        JournalError: the directory holds no history, or the history cannot be read.
    """
    if isinstance(source, History):
        return source
    if isinstance(source, str | Path):
        return History.load(source)
    held = None if isinstance(source, type) else getattr(source, "history", None)
    if isinstance(held, History):
        return held
    hint = ": choose one of its `runs[name][seed]`" if is_comparison(source) else ""
    raise wrong("a history, a search or the directory of a search", source, hint)


def is_comparison(sources: object) -> TypeGuard[Compared]:
    """Return whether an object is a comparison; none of its properties is computed."""
    return hasattr(type(sources), "paired")


def space_of(
    space: Space, expected: str = "the space of the architectures, such as `search.space`"
) -> Space:
    """Return a space of architectures after checking that it is one.

    Args:
        space: of architectures.
        expected: what the error message asks for.

    Raises:
        TypeError: it is something else: a search, a configuration space, or a class.
    """
    if isinstance(space, type) or not isinstance(space, Space):
        raise wrong(expected, space)
    return space


@dataclass(frozen=True)
class Runs:
    """Histories by name, and how they are compared unless the caller says otherwise.

    Attributes:
        histories: for each name, one history per seed; a single unnamed source has the name ''.
        clock: the unit of the horizontal axis.
        regret: the regret of a configuration, to use instead of the lowest cost, if known.
    """

    histories: Mapping[str, Sequence[History]]
    clock: Clock = "epochs"
    regret: Regret | None = None

    @classmethod
    def of(cls, sources: Sources, *, paired: bool = False) -> Runs:
        """Read the histories of all sources.

        Args:
            sources: histories, searches, directories or a comparison.
            paired: reads from a comparison only the seeds with which every setup had a success.

        Raises:
            TypeError: a source has no history.
            JournalError: a directory holds no history, or the history cannot be read.
        """
        if is_comparison(sources):
            histories = sources.paired if paired else sources.histories
            return cls(histories, sources.clock, sources.regret)
        if isinstance(sources, Mapping):
            return cls({str(name): _several(given) for name, given in sources.items()})
        return cls({"": _several(sources)})

    def every(self) -> list[History]:
        """Return all histories, whatever their names."""
        return [history for histories in self.histories.values() for history in histories]

    @property
    def measure(self) -> Measure:
        """The meaning of the costs of all histories, if it is the same."""
        measures = {history.goal.measure for history in self.every()}
        return measures.pop() if len(measures) == 1 else UNNAMED


def wrong(expected: str, given: object, hint: str = "") -> TypeError:
    """Return an error that says what was expected and what was given instead.

    Args:
        expected: a description of the right object.
        given: the wrong object.
        hint: how to mend it, appended to the message.
    """
    if isinstance(given, type):
        return TypeError(f"expected {expected}, not the class {given.__name__} itself{hint}")
    return TypeError(f"expected {expected}, not an object of type {type(given).__name__}{hint}")


def _several(sources: Any) -> list[History]:
    if isinstance(sources, Sequence) and not isinstance(sources, str):
        return [history_of(source) for source in sources]
    return [history_of(sources)]
