"""Messages between the process of a trial and its ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fidelity.checkpoint import Checkpoint
from fidelity.objective import Context


@dataclass(frozen=True)
class Setup:
    """The first message to a rank.

    Attributes:
        payload: the training, pickled.
        rank: the number of the process.
        devices: of all ranks, as torch names them.
        store: the path of a file through which the ranks find each other.
        threads: that torch uses.
        memory: the share of its device's memory that torch may allocate.
    """

    payload: bytes
    rank: int
    devices: tuple[str, ...]
    store: str
    threads: int
    memory: float


@dataclass(frozen=True)
class Call:
    """A call of a method of the training, with the same arguments on all ranks.

    Attributes:
        method: its name.
        arguments: by name, without the context.
        context: of the trial.
    """

    method: str
    arguments: Mapping[str, Any]
    context: Context


@dataclass(frozen=True)
class Answer:
    """The answer of a rank to a call.

    Attributes:
        result: of the method; None for a failed call, and from ranks above 0.
        error: that the method raised.
        curve: as reported.
        checkpoint: with what was recorded about it.
    """

    result: Any
    error: BaseException | None
    curve: list[tuple[float, float]]
    checkpoint: Checkpoint
