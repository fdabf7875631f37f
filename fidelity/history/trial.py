"""What is evaluated (a trial) and what came of it (an evaluation)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ConfigSpace import Configuration

from fidelity.history.caps import shortened, thinned
from fidelity.history.html import evaluation_html, trial_html


class Status(StrEnum):
    """How an evaluation ended."""

    SUCCESS = "success"
    CRASHED = "crashed"  # the objective raised an exception
    TIMEOUT = "timeout"  # it was ended at its time limit
    MEMORY = "memory"  # it ran out of host or device memory
    DIVERGED = "diverged"  # its cost was not a finite number
    INVALID = "invalid"  # there was nothing to train: the network has no path or no parameters
    LOST = "lost"  # its worker died


DETERMINISTIC = frozenset({Status.SUCCESS, Status.DIVERGED, Status.INVALID})
"""Outcomes that a repetition with the same seed would only repeat."""


@dataclass(frozen=True)
class Trial:
    """One configuration to be evaluated at one budget.

    Attributes:
        number: trials of a search are numbered from 0 in the order in which they were asked.
        configuration: the point of the space.
        key: names the network and everything else that the cost depends on; equal keys are
            the same network.
        budget: the total to train to (not an increment), in units of the fidelity: epochs.
        seed: of the evaluation; equal key, budget and seed give an equal cost.
        parent: the trial that this one continues at a higher budget; None for a new configuration.
        bracket: the round of the schedule to which the trial belongs.
    """

    number: int
    configuration: Configuration
    key: str
    budget: float
    seed: int = 0
    parent: int | None = None
    bracket: int = 0

    def _repr_html_(self) -> str:
        return trial_html(self)


@dataclass(frozen=True)
class Evaluation:
    """What came of a trial.

    Attributes:
        trial: what was evaluated.
        cost: what the search minimises; infinite unless `status` is success.
        metrics: everything else that the objective returned.
        curve: pairs (step, cost) that were reported on the way; steps are totals. Of more than
            1000, as many evenly spaced ones are kept, the first and the last included.
        seconds: how long it took, on a monotonic clock; 0 when reused.
        started: seconds since the search began (all its runs put together).
        status: how it ended.
        reused: the number of the trial whose result this is, when the same network had been
            evaluated before at the same budget and seed.
        error: the traceback or the reason of a failure; the middle of a text above 16 KiB is
            left out.
        retrained: it was trained from the beginning though it has a parent: the objective does not
            resume, or the parent's checkpoint was gone or damaged.
        unsaved: why its last checkpoint could not be written, as on a full disk: a promotion
            trains from the beginning. None if it was written, or none was to be.
    """

    trial: Trial
    cost: float = math.inf
    metrics: Mapping[str, Any] = field(default_factory=dict)
    curve: tuple[tuple[float, float], ...] = ()
    seconds: float = 0.0
    started: float = 0.0
    status: Status = Status.SUCCESS
    reused: int | None = None
    error: str | None = None
    retrained: bool = False
    unsaved: str | None = None

    def __post_init__(self) -> None:
        """Applies the caps."""
        object.__setattr__(self, "curve", thinned(self.curve))
        if self.error is not None:
            object.__setattr__(self, "error", shortened(self.error))

    def _repr_html_(self) -> str:
        return evaluation_html(self)

    @property
    def succeeded(self) -> bool:
        """Whether there is a cost to learn from."""
        return self.status is Status.SUCCESS
