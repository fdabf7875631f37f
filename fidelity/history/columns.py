"""Names of columns and rows: those of the toolkit keep theirs, those of users get a prefix."""

from __future__ import annotations

from collections.abc import Iterable, Set


def columns(prefix: str, names: Iterable[str], taken: Set[str]) -> dict[str, str]:
    """Return the column of each name: the name itself, or `prefix.NAME` where that is taken.

    Args:
        prefix: says whose names they are.
        names: of hyperparameters or metrics.
        taken: columns that there are already.
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
