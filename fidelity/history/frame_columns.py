"""Names of columns and rows: the user's get a prefix where the toolkit has the same name."""

from __future__ import annotations

from collections.abc import Iterable, Set


def columns(prefix: str, names: Iterable[str], taken: Set[str]) -> dict[str, str]:
    """Return the column of each name: the name itself, or `prefix.NAME` if that is taken.

    Args:
        prefix: of the user's names, without the dot.
        names: of hyperparameters or metrics.
        taken: the existing columns.
    """
    result: dict[str, str] = {}
    used = set(taken)
    for name in names:
        column = name
        while column in used:
            column = f"{prefix}.{column}"
        used.add(column)
        result[name] = column
    return result
