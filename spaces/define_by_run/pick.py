"""`pick`, by which a constructor names what may change in its network."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from spaces.define_by_run.domains import Domain, number_range, options
from spaces.space import SpaceError

T = TypeVar("T")

Answer = Callable[[str, Domain], Any]
"""Returns the value of a name."""


@dataclass
class Record:
    """The picks of one run of a constructor.

    Attributes:
        domains: of each name, in the order in which they were reached.
        values: of each name.
        made: parts that an alternative has made, with its name, innermost ones first.
    """

    domains: dict[str, Domain] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)
    made: list[tuple[str, object]] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the values by name."""
        return written(self.values)


class Pick:
    """Chooses the parts of a network; a constructor receives one and calls it.

    The same name, picked again from the same choices, has the same value: two layers can share a
    width. A list or a dictionary with one entry is no choice.

    Args:
        answer: decides.
        record: collects what was picked.
        prefix: of the names.
    """

    def __init__(self, answer: Answer, record: Record, prefix: str = "") -> None:
        self._answer = answer
        self._record = record
        self._prefix = prefix

    def __call__(self, name: str, choices: Sequence[T] | Mapping[str, Callable[[], T] | T]) -> T:
        """Return one of several values, or make one of several parts.

        Args:
            name: of the choice; the hyperparameter has this name.
            choices: a list of values (numbers, strings, tuples, classes, functions with a name),
                of which one is returned; a range of integers; or a dictionary from names to
                alternatives: of these one is called, if it is a function or a class, and its
                result returned.

        Raises:
            SpaceError: the choices cannot be described, or the name has other choices elsewhere.
        """
        if not isinstance(choices, Mapping):
            return self._value(name, options(name, choices))  # type: ignore[no-any-return]
        chosen: str = self._value(name, options(name, choices))
        part = choices[chosen]
        made: Any = part() if callable(part) and not _is_module(part) else part
        self._record.made.append((chosen, made))
        return made  # type: ignore[no-any-return]

    def integer(self, name: str, low: int, high: int, *, log: bool = False) -> int:
        """Return an integer from a range.

        Args:
            name: of the choice.
            low: the smallest one.
            high: the largest one, included.
            log: whether it is drawn on a logarithmic scale.

        Raises:
            SpaceError: the range is impossible.
        """
        return int(self._value(name, number_range(name, low, high, log=log, whole=True)))

    def real(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return a real number from a range.

        Args:
            name: of the choice.
            low: the smallest one.
            high: the largest one.
            log: whether it is drawn on a logarithmic scale.

        Raises:
            SpaceError: the range is impossible.
        """
        return float(self._value(name, number_range(name, low, high, log=log, whole=False)))

    def inputs(self, name: str, candidates: Sequence[T], count: int | None = None) -> list[T]:
        """Return some of several inputs, in their order.

        Any number of them is encoded as the first one that is chosen, and whether each later one
        is chosen too; a given number as the position of each among those that remain possible.

        Args:
            name: of the choice; the hyperparameters are called '<name> first', '<name> with 2'
                and so on.
            candidates: at least one.
            count: how many are chosen; None is any number, at least 1.

        Raises:
            SpaceError: there are fewer candidates than `count`, or none.
        """
        total = len(candidates)
        if total < 1 or not 1 <= (1 if count is None else count) <= total:
            raise SpaceError(
                f"{name!r} picks {'1 or more' if count is None else count} of {total} inputs: "
                "give at least as many candidates, and pick at least 1"
            )
        inner = self.within(name, " ")
        if count is not None:
            return [candidates[i] for i in _several(inner, total, count)]
        first = inner("first", range(total))
        others = [i for i in range(first + 1, total) if inner(f"with {i}", [False, True])]
        return [candidates[i] for i in (first, *others)]

    def within(self, prefix: str, separator: str = ".") -> Pick:
        """Return a `pick` whose names start with a prefix, for a part that occurs several times.

        Args:
            prefix: for instance 'stage 1': its 'width' is then called 'stage 1.width'.
            separator: between the prefix and the name.
        """
        return Pick(self._answer, self._record, f"{self._prefix}{prefix}{separator}")

    def _value(self, name: str, domain: Domain) -> Any:
        if not isinstance(name, str) or not name:
            raise SpaceError(f"a choice has the name {name!r}: give a string that is not empty")
        name, record = self._prefix + name, self._record
        if len(domain.tried) == 1:
            return domain.tried[0]
        if record.domains.setdefault(name, domain) != domain:
            raise two_domains(name, record.domains[name], domain)
        if name not in record.values:
            record.values[name] = self._answer(name, domain)
        return record.values[name]


def _several(pick: Pick, total: int, count: int) -> list[int]:
    """Return `count` ascending positions, each one a choice among those that remain possible."""
    positions: list[int] = []
    for rank in range(count):
        first = positions[-1] + 1 if positions else 0
        remaining = range(first, total - count + rank + 1)
        # The range depends on the position before, which is therefore in the name.
        name = f"{rank + 1} after {first - 1}" if positions else "first"
        positions.append(pick(name, remaining))
    return positions


def two_domains(name: str, one: Domain, other: Domain) -> SpaceError:
    """Return the error about a name that stands for two choices.

    Args:
        name: of the choices.
        one: what it was picked from first.
        other: what it was picked from later.
    """
    return SpaceError(
        f"{name!r} is picked from {one} in one place and from {other} in another: a name stands "
        "for one choice; use two names, or pick.within(prefix)"
    )


def written(values: Mapping[str, Any]) -> str:
    """Return values by name as a person would write them."""
    return ", ".join(f"{name}={value!r}" for name, value in values.items()) or "nothing"


def _is_module(part: object) -> bool:
    """Return whether an alternative is a finished module, without importing torch."""
    return not isinstance(part, type) and hasattr(part, "named_parameters")
