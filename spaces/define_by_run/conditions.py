"""When a choice is reached, as a rule over other choices and as a condition of ConfigSpace."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ConfigSpace import (
    AndConjunction,
    ConfigurationSpace,
    EqualsCondition,
    GreaterThanCondition,
    InCondition,
    LessThanCondition,
    OrConjunction,
)

from spaces.define_by_run.domains import Domain

Term = Mapping[str, tuple[Any, ...]]
"""For each of some names the values that it may have; an empty term is always true."""

Rule = Sequence[Term]
"""Terms, of which one has to be true."""


def active(rules: Mapping[str, Rule], values: Mapping[str, Any]) -> set[str]:
    """Return the names whose rule is true.

    Args:
        rules: of each name.
        values: of at least the names that are active.
    """
    reached: set[str] = set()
    grown = True
    while grown:
        more = {
            name
            for name, rule in rules.items()
            if name not in reached and any(satisfied(term, values, reached) for term in rule)
        }
        grown = bool(more)
        reached |= more
    return reached


def satisfied(term: Term, values: Mapping[str, Any], reached: Collection[str]) -> bool:
    """Return whether a term is true.

    Args:
        term: names that were not reached make it false.
        values: by name.
        reached: the names that were reached.
    """
    return all(n in reached and n in values and values[n] in allowed for n, allowed in term.items())


def configuration_space(
    domains: Mapping[str, Domain], rules: Mapping[str, Rule]
) -> ConfigurationSpace:
    """Return the space of all choices, each active where its rule is true.

    Args:
        domains: of each name, in the order of the space.
        rules: of each name.
    """
    space = ConfigurationSpace()
    parameters = {name: domain.hyperparameter(name) for name, domain in domains.items()}
    space.add(list(parameters.values()))
    for name, rule in rules.items():
        if any(not term for term in rule):
            continue
        terms = [
            _joined(
                AndConjunction,
                [_condition(parameters[name], parameters[p], domains[p], v) for p, v in t.items()],
            )
            for t in rule
        ]
        space.add(_joined(OrConjunction, terms))
    return space


def _joined(conjunction: Any, parts: Sequence[Any]) -> Any:
    return parts[0] if len(parts) == 1 else conjunction(*parts)


def _condition(child: Any, parent: Any, domain: Domain, allowed: Sequence[Any]) -> Any:
    """Return the simplest condition that says that a parent has one of the allowed values."""
    if len(allowed) == 1:
        return EqualsCondition(child, parent, allowed[0])
    ordered = list(domain.tried)
    if not _is_ordered(parent):
        return InCondition(child, parent, list(allowed))
    if list(allowed) == ordered[-len(allowed) :]:
        return GreaterThanCondition(child, parent, ordered[-len(allowed) - 1])
    if list(allowed) == ordered[: len(allowed)]:
        return LessThanCondition(child, parent, ordered[len(allowed)])
    return InCondition(child, parent, list(allowed))


def _is_ordered(parameter: Any) -> bool:
    return not hasattr(parameter, "choices")
