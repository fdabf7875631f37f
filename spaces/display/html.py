"""HTML for notebooks and reports: elements that escape whatever is text, and a space as a tree."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Protocol

from ConfigSpace import ConfigurationSpace

from spaces.display.tree import Row, rows

MOST_ROWS = 40
"""A notebook shows so many choices of a space; how many are left out is said."""

INLINE = "font-family:monospace;font-size:90%;white-space:pre"


class Html(str):
    """Text that is HTML already; every other text is escaped where it is put into an element."""


def element(name: str, *children: str, **attributes: str) -> Html:
    """An HTML element.

    Args:
        name: of the element.
        children: what stands in it; escaped, unless it is `Html`.
        attributes: values, which are escaped. An underscore at the end of a name is dropped
            (`class_`), others are hyphens (`data_value`).
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(parts: Iterable[str]) -> Html:
    """Parts one after another; escaped, unless they are `Html`."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> Html:
    """A table with one row of headings."""
    titles = join(element("th", title) for title in head)
    lines = join(element("tr", *(element("td", cell) for cell in line)) for line in body)
    return element("table", element("thead", element("tr", titles)), element("tbody", lines))


def size(space: ConfigurationSpace) -> str:
    """How many configurations there are; with conditions ConfigSpace only knows a bound."""
    found = space.estimate_size()
    if found == float("inf"):
        return "infinitely many configurations"
    bound = "at most " if space.conditions or space.forbidden_clauses else ""
    number = f"{found:,}" if found < 10**9 else f"about 10^{round(math.log10(found))}"
    return f"{bound}{number} configurations"


def tree(space: ConfigurationSpace, most: int = MOST_ROWS) -> Html:
    """The choices, one a line, each below and right of the one that makes it active."""
    listed = rows(space)
    lines = [_line(row) for row in listed[:most]]
    if len(listed) > most:
        lines.append(element("div", f"... and {len(listed) - most} more"))
    return element("div", *lines, style=INLINE)


def _line(row: Row) -> Html:
    return element("div", row.text, style=f"padding-left:{1.5 * row.level:g}em")


class HasChoices(Protocol):
    """Anything with a configuration space."""

    @property
    def configuration_space(self) -> ConfigurationSpace:
        """The choices."""
        ...


def space_html(space: HasChoices, most: int = MOST_ROWS) -> Html:
    """A space: its name, how large it is, and the tree of its choices, closed where it is long."""
    choices = space.configuration_space
    name, count = type(space).__name__, len(choices)
    summary = f": {count} choice{'' if count == 1 else 's'}, {size(choices)}"
    opened: dict[str, Any] = {"open": ""} if count <= most else {}
    title = element("summary", element("b", name), summary)
    return element("details", title, tree(choices, most), **opened)


class Shown:
    """Shows a space in notebooks; a space of your own may inherit it, or use `space_html`."""

    def _repr_html_(self: HasChoices) -> str:
        return space_html(self)
