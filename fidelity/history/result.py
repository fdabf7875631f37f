"""Results of an objective: what it may return, and the errors that say what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Result = float | Mapping[str, Any]
Objective = Callable[..., Result]


class ObjectiveError(TypeError):
    """An objective that cannot be called, or a returned value that is not a cost."""


class MissingValue(ObjectiveError):
    """A result without a value for an objective or a constraint of the search."""


class InvalidArchitecture(ValueError):
    """Raised by an objective when there is nothing to train."""


class Diverged(ArithmeticError):
    """Raised by an objective when training gave a number that is not finite."""


class ProcessLost(RuntimeError):
    """Raised by an objective when a process that it had started has died.

    A runner that retries trials treats it like the death of its own worker.
    """
