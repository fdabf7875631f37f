"""A search as HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.display.html import Html, element, size, table
from spaces.space import Space


class Searched(Protocol):
    """The properties of a `Search` that are displayed."""

    @property
    def space(self) -> Space:
        """The search space."""
        ...

    @property
    def objective(self) -> object:
        """The objective, a function or another callable."""
        ...

    @property
    def strategy(self) -> object:
        """The strategy."""
        ...

    @property
    def schedule(self) -> object:
        """The schedule."""
        ...

    @property
    def seed(self) -> int:
        """The seed of the search."""
        ...

    @property
    def history(self) -> History:
        """The history so far."""
        ...

    @property
    def incumbent(self) -> Evaluation | None:
        """The evaluation that the strategy recommends."""
        ...

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The first line of the journal, as plain values."""
        ...


def name_of(thing: object) -> str:
    """Return the name of a function, or of the class of any other object."""
    return str(getattr(thing, "__qualname__", type(thing).__qualname__))


def search_html(search: Searched) -> Html:
    """Return the settings of a search and a summary of its history."""
    lines = [
        ("space", f"{name_of(search.space)}, {size(search.space.configuration_space)}"),
        ("objective", name_of(search.objective)),
        ("strategy", name_of(search.strategy)),
        ("schedule", name_of(search.schedule)),
        ("seed", str(search.seed)),
    ]
    return element("div", table(("Search", ""), lines), search.history.html())
