"""A search as HTML, for notebooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from bonas.strategies.strategy import Strategy
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.objective import Objective
from fidelity.schedules.schedule import Schedule
from spaces.display.html import Html, element, size, table
from spaces.space import Space


class Searched(Protocol):
    """The properties of a `Search` that are displayed."""

    space: Space
    objective: Objective
    strategy: Strategy
    schedule: Schedule
    seed: int

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
