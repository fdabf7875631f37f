"""HTML fragments for trials, evaluations and histories, made from plain values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fidelity.history.frame_columns import columns
from spaces.space import values

if TYPE_CHECKING:
    from ConfigSpace import Configuration

FILE = re.compile(r'File "([^"\n]*[/\\])([^"/\\\n]+[/\\][^"/\\\n]+)"')


def without_folders(traceback: str) -> str:
    """Return a traceback with only the last two parts of each file's path: no machine's folders."""
    return FILE.sub(lambda match: f'File "{match[2]}"', traceback)


def choices(configuration: Configuration) -> str:
    """Return the active hyperparameters in one line."""
    return ", ".join(f"{name}={value}" for name, value in values(configuration).items())


def rows(
    prefix: str, values: Mapping[str, Any], above: Sequence[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return one row per value, with a prefix where a row above has the same name.

    Args:
        prefix: the prefix, without the dot.
        values: the user's values by name.
        above: the (name, text) rows that precede them.
    """
    names = columns(prefix, map(str, values), {name for name, _ in above})
    return [(names[str(name)], str(value)) for name, value in values.items()]
