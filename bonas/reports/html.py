"""A search as HTML, for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spaces.display.html import Html, element, size, table

if TYPE_CHECKING:
    from bonas.search.search import Search


def name_of(thing: object) -> str:
    """The name of a function, or of the class of anything else."""
    return str(getattr(thing, "__qualname__", type(thing).__qualname__))


def search_html(search: Search) -> Html:
    """What was chosen, and what the history says so far."""
    lines = [
        ("space", f"{name_of(search.space)}, {size(search.space.configuration_space)}"),
        ("objective", name_of(search.objective)),
        ("strategy", name_of(search.strategy)),
        ("schedule", name_of(search.schedule)),
        ("seed", str(search.seed)),
    ]
    return element("div", table(("Search", ""), lines), search.history.html())
