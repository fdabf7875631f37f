"""Display of spaces in notebooks and reports: HTML that escapes all text, and a short `repr`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from html import escape
from typing import Any, Protocol

from ConfigSpace import ConfigurationSpace

from spaces.display.tree import Row, rows

MAX_ROWS = 40
"""Choices of a space that a notebook shows; a last line counts the others."""

INLINE = "font-family:monospace;font-size:90%;white-space:pre"


class Html(str):
    """Text that is HTML already; all other text is escaped when it becomes part of an element."""


def element(name: str, *children: str, **attributes: str) -> Html:
    """Return an HTML element.

    Args:
        name: of the element.
        children: its content; escaped, unless it is `Html`.
        attributes: values, which are escaped. An underscore at the end of a name is dropped
            (`class_`), others become hyphens (`data_value`).
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
    )
    return Html(f"<{name}{written}>{join(children)}</{name}>")


def join(parts: Iterable[str]) -> Html:
    """Concatenate parts; they are escaped, unless they are `Html`."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> Html:
    """Return a table with one row of headings.

    Args:
        head: the heading of each column.
        body: the cells of each row.
    """
    titles = join(element("th", title) for title in head)
    lines = join(element("tr", *(element("td", cell) for cell in line)) for line in body)
    return element("table", element("thead", element("tr", titles)), element("tbody", lines))


def size(space: ConfigurationSpace) -> str:
    """Return the number of configurations as words; with conditions ConfigSpace knows a bound."""
    count = space.estimate_size()
    if count == float("inf"):
        return "infinitely many configurations"
    bound = "at most " if space.conditions or space.forbidden_clauses else ""
    number = f"{count:,}" if count < 10**9 else f"about 10^{round(math.log10(count))}"
    return f"{bound}{number} configurations"


def tree(space: ConfigurationSpace, most: int = MAX_ROWS) -> Html:
    """Return the choices, one per line, each below and right of the one that makes it active.

    Args:
        space: any configuration space.
        most: the number of choices that are shown.
    """
    every = rows(space)
    lines = [_line(row) for row in every[:most]]
    if len(every) > most:
        lines.append(element("div", f"... and {len(every) - most} more"))
    return element("div", *lines, style=INLINE)


def _line(row: Row) -> Html:
    return element("div", row.text, style=f"padding-left:{1.5 * row.level:g}em")


class HasChoices(Protocol):
    """Anything with a configuration space."""

    @property
    def configuration_space(self) -> ConfigurationSpace:
        """The choices."""
        ...


def space_html(space: HasChoices, most: int = MAX_ROWS) -> Html:
    """Return the name of a space, its size, and the tree of its choices, closed where it is long.

    Args:
        space: anything with a configuration space.
        most: the number of choices that are shown.
    """
    choices = space.configuration_space
    name, count = type(space).__name__, len(choices)
    summary = f": {count} choice{'' if count == 1 else 's'}, {size(choices)}"
    opened: dict[str, Any] = {"open": ""} if count <= most else {}
    title = element("summary", element("b", name), summary)
    return element("details", title, tree(choices, most), **opened)


def space_text(space: HasChoices) -> str:
    """Return the name of a space, its plain settings and the number of its configurations.

    Settings at their defaults are left out.
    """
    parts = []
    described: Any = space
    for field in fields(described) if is_dataclass(described) else ():
        name, value = field.name, getattr(space, field.name)
        if field.default is not MISSING and value == field.default:
            continue
        if isinstance(value, Mapping) and value is not space.configuration_space:
            parts.append(f"{len(value)} {name}")
        elif isinstance(value, bool | int | float | str) or _is_plain(value):
            parts.append(f"{name}={value!r}")
    choices = len(space.configuration_space)
    parts += [] if parts else [f"{choices} choice{'' if choices == 1 else 's'}"]
    return f"{type(space).__name__}({', '.join([*parts, size(space.configuration_space)])})"


def _is_plain(value: object) -> bool:
    """Return whether a setting is a tuple of numbers, or a space with a `repr` of its own."""
    numbers = isinstance(value, tuple) and value and all(isinstance(e, int | float) for e in value)
    return bool(numbers) or isinstance(getattr(value, "configuration_space", None), Mapping)


class Shown:
    """Shows a space in notebooks; a space of your own may inherit it, or use `space_html`."""

    def _repr_html_(self: HasChoices) -> str:
        return space_html(self)

    def __repr__(self: HasChoices) -> str:
        """See `space_text`."""
        return space_text(self)
