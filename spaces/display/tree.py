"""A configuration space as the rows of a tree: each choice below the one that makes it active."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ConfigSpace import ConfigurationSpace, OrConjunction
from ConfigSpace.conditions import Condition, Conjunction
from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    Hyperparameter,
    OrdinalHyperparameter,
)

MOST_PARTS = 3
"""Of a condition with 'or', so many are written."""

DELIMITER = ":"


@dataclass(frozen=True)
class Row:
    """A line of the tree.

    Attributes:
        level: how many choices it depends on, one below the other.
        parent: the position of the row that it hangs from; None for a choice always active.
        text: its name, its values and when it is active.
    """

    level: int
    parent: int | None
    text: str


def rows(space: ConfigurationSpace) -> list[Row]:
    """The tree from top to bottom.

    A choice with several parents hangs from the deepest of them; its condition names all.
    """
    parents, conditions = space.parents_of, space.parent_conditions_of
    level: dict[str, int] = {}
    above: dict[str, str | None] = {}
    below: dict[str | None, list[str]] = {}
    for name in space:  # parents come first
        found = sorted((p.name for p in parents[name]), key=lambda parent: level[parent])
        above[name] = found[-1] if found else None
        level[name] = level[found[-1]] + 1 if found else 0
        below.setdefault(above[name], []).append(name)
    listed: list[Row] = []
    positions: dict[str, int] = {}
    waiting = list(reversed(below.get(None, [])))
    while waiting:
        name = waiting.pop()
        hangs = above[name]
        positions[name] = len(listed)
        when = [text for c in conditions[name] for text in _conditions(c)]
        text = f"{_short(name, hangs)}  {_domain(space[name])}"
        text += f"  if {' and '.join(when)}" if when else ""
        listed.append(Row(level[name], None if hangs is None else positions[hangs], text))
        waiting.extend(reversed(below.get(name, [])))
    return listed


def _short(name: str, parent: str | None) -> str:
    """The name without the prefix that it shares with its parent."""
    scope = (parent or "").rpartition(DELIMITER)
    return name.removeprefix(scope[0] + scope[1])


def _conditions(condition: Condition | Conjunction) -> list[str]:
    """Parents by the last part of their names: the tree shows where they are."""
    if isinstance(condition, OrConjunction):
        parts = [text for part in condition.components for text in _conditions(part)]
        return [" or ".join(parts if len(parts) <= MOST_PARTS else [*parts[:MOST_PARTS], "..."])]
    if isinstance(condition, Conjunction):
        return [text for part in condition.components for text in _conditions(part)]
    # Written by ConfigSpace as 'child | parent == value'.
    text = str(condition).partition(" | ")[2]
    name = condition.parent.name
    return [name.rpartition(DELIMITER)[2] + text.removeprefix(name)]


def _domain(hyperparameter: Hyperparameter[Any, Any]) -> str:
    if isinstance(hyperparameter, Constant):
        return str(hyperparameter.value)
    if isinstance(hyperparameter, CategoricalHyperparameter):
        return "{" + ", ".join(map(str, hyperparameter.choices)) + "}"
    if isinstance(hyperparameter, OrdinalHyperparameter):
        sequence: Sequence[Any] = hyperparameter.sequence
        return "(" + ", ".join(map(str, sequence)) + ")"
    low, high = getattr(hyperparameter, "lower", ""), getattr(hyperparameter, "upper", "")
    scale = " log" if getattr(hyperparameter, "log", False) else ""
    return f"[{low}, {high}]{scale}"
