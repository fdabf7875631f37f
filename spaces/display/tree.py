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

MAX_PARTS = 3
"""Alternatives of a condition with 'or' that are written."""

DELIMITER = ":"


@dataclass(frozen=True)
class Row:
    """A line of the tree.

    Attributes:
        level: its depth in the tree.
        parent: the position of the row above it in the tree; None at the root.
        text: its name, its values and its conditions.
    """

    level: int
    parent: int | None
    text: str


def rows(space: ConfigurationSpace) -> list[Row]:
    """Return the tree from top to bottom.

    A choice with several parents is below the deepest of them; its condition names all.
    """
    parents, conditions = space.parents_of, space.parent_conditions_of
    level: dict[str, int] = {}
    above: dict[str, str | None] = {}
    below: dict[str | None, list[str]] = {}
    for name in space:  # parents come first
        names = sorted((p.name for p in parents[name]), key=lambda parent: level[parent])
        above[name] = names[-1] if names else None
        level[name] = level[names[-1]] + 1 if names else 0
        below.setdefault(above[name], []).append(name)
    listed: list[Row] = []
    positions: dict[str, int] = {}
    waiting = list(reversed(below.get(None, [])))
    while waiting:
        name = waiting.pop()
        parent = above[name]
        positions[name] = len(listed)
        when = [text for c in conditions[name] for text in _conditions(c)]
        text = f"{_short(name, parent)}  {_domain(space[name])}"
        text += f"  if {' and '.join(when)}" if when else ""
        listed.append(Row(level[name], None if parent is None else positions[parent], text))
        waiting.extend(reversed(below.get(name, [])))
    return listed


def _short(name: str, parent: str | None) -> str:
    """Return the name without the prefix that it shares with its parent."""
    scope = (parent or "").rpartition(DELIMITER)
    return name.removeprefix(scope[0] + scope[1])


def _conditions(condition: Condition | Conjunction) -> list[str]:
    """Return conditions with the last part of their parents' names; the tree shows the rest."""
    if isinstance(condition, OrConjunction):
        parts = [text for part in condition.components for text in _conditions(part)]
        return [" or ".join(parts if len(parts) <= MAX_PARTS else [*parts[:MAX_PARTS], "..."])]
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
