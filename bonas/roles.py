"""The roles of a search's arguments, and the check that an object fills one."""

from __future__ import annotations

import inspect
from collections.abc import Iterable

CALLBACK = ("on_run_start", "on_trial_start", "on_trial_end", "on_run_end")
RUNNER = ("workers", "now", "submit", "wait")
SCHEDULE = ("max_budget", "next")
SPACE = ("configuration_space",)
STRATEGY = ("propose",)


def check_role(argument: str, value: object, members: Iterable[str], example: str) -> None:
    """Refuse a class, a name, or anything else without the members of a role.

    Args:
        argument: the name of the argument.
        value: of the argument.
        members: the attributes and methods that an object of this role has.
        example: an expression that makes such an object.

    Raises:
        TypeError: `value` is a class, or lacks a member.
    """
    if inspect.isclass(value):
        raise TypeError(
            f"{argument} is the class {value.__name__}, but an object is expected: make one, as in "
            f"{example}"
        )
    # The class is searched first, so that no property is computed.
    missing = [m for m in members if not hasattr(type(value), m) and not hasattr(value, m)]
    if missing:
        raise TypeError(
            f"{argument} is {value!r}, which has no {', '.join(map(repr, missing))}: an object is "
            f"expected, such as {example}"
        )
