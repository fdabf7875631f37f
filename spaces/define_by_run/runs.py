"""Runs of a constructor with given values, on torch's meta device, which allocates nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from spaces.define_by_run.domains import Domain
from spaces.define_by_run.pick import Pick, Record, two_domains, written
from spaces.space import SpaceError

Construct = Callable[[Pick], object]
"""A constructor that only lacks its `pick`."""


@dataclass(frozen=True)
class Run:
    """The names that a constructor reached with some values.

    Attributes:
        domains: of the names that it reached, in their order.
        values: of the same names.
        shapes: of the parameters of the network that it made, if it made one.
    """

    domains: Mapping[str, Domain]
    values: Mapping[str, Any]
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        """Return whether a name was reached."""
        return name in self.domains

    def __str__(self) -> str:
        """Return the values by name."""
        return written(self.values)


class Runs:
    """Runs of one constructor, and the domains of all names that they have reached.

    Args:
        construct: the constructor.
        device: makes the context of a run.
        given: the other arguments of the constructor, for the message of an error.
    """

    def __init__(
        self,
        construct: Construct,
        device: Callable[[], AbstractContextManager[object]],
        given: str = "",
    ) -> None:
        self._construct = construct
        self._device = device
        self._given = given
        self.domains: dict[str, Domain] = {}

    def run(self, values: Mapping[str, Any]) -> Run:
        """Run the constructor.

        Args:
            values: by name; names without a value have the first one of their domain, and values
                of names that are not reached have no effect.

        Raises:
            SpaceError: the constructor raises an error, or a name has two domains.
        """
        record = Record()
        pick = Pick(lambda name, domain: values.get(name, domain.tried[0]), record)
        with self._device():
            made = construct(self._construct, pick, record, self._given)
        for name, domain in record.domains.items():
            if self.domains.setdefault(name, domain) != domain:
                raise two_domains(name, self.domains[name], domain)
        return Run(record.domains, record.values, _shapes(made))


def construct(constructor: Construct, pick: Pick, record: Record, given: str = "") -> object:
    """Return what a constructor returns.

    Args:
        constructor: lacks only its `pick`.
        pick: its argument.
        record: of `pick`, for the message of an error.
        given: its other arguments, likewise.

    Raises:
        SpaceError: the constructor raises an error.
    """
    try:
        return constructor(pick)
    except SpaceError:
        raise
    except Exception as error:  # whatever the user's code raises
        called = f"called with {given}, " if given else ""
        raise SpaceError(
            f"the constructor raised {type(error).__name__}: {error}; {called}it had picked "
            f"{record}. Every combination of choices has to make a network: choose one value "
            "from others (a width from the number of groups, say), or give fewer choices"
        ) from error


def _shapes(made: object) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the parameters of a network; nothing of other objects."""
    if not hasattr(made, "named_parameters"):
        return {}
    from torch.nn.parameter import is_lazy

    return {name: tuple(p.shape) for name, p in made.named_parameters() if not is_lazy(p)}
