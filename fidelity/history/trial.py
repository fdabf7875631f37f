"""Trials, which are evaluated, and evaluations, which are their results."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ConfigSpace import Configuration

from fidelity.history.caps import shortened, thinned
from fidelity.history.html import rows, without_folders
from spaces.display.html import Html, element, table
from spaces.space import values


class Status(StrEnum):
    """The outcome of an evaluation."""

    SUCCESS = "success"
    CRASHED = "crashed"  # the objective raised an exception
    TIMEOUT = "timeout"  # it was stopped at its time limit
    MEMORY = "memory"  # it ran out of host or device memory
    DIVERGED = "diverged"  # its cost was not a finite number
    INVALID = "invalid"  # nothing to train: the network has no path or no parameters
    LOST = "lost"  # its worker died


DETERMINISTIC = frozenset({Status.SUCCESS, Status.DIVERGED, Status.INVALID})
"""Outcomes that a repetition with the same seed would only repeat."""


UNSCHEDULED = -1
"""The bracket of a trial that no schedule has requested: its result came from elsewhere."""


@dataclass(frozen=True, repr=False)
class Trial:
    """One configuration to be evaluated at one budget.

    Attributes:
        number: trials of a search are numbered from 0 in the order of their requests.
        configuration: the point of the space.
        key: identifies the network and everything else that the cost depends on; equal keys are
            the same network.
        budget: the total to train to (not an increment), in units of the fidelity: epochs.
        seed: of the evaluation; equal key, budget and seed give an equal cost.
        parent: the trial that this one resumes at a higher budget; None for a new configuration.
        bracket: the bracket of the schedule that the trial belongs to.
    """

    number: int
    configuration: Configuration
    key: str
    budget: float
    seed: int = 0
    parent: int | None = None
    bracket: int = 0

    def __repr__(self) -> str:
        return f"Trial({self.number}, budget={self.budget:g}, {values(self.configuration)})"

    def _repr_html_(self) -> str:
        return self.html()

    def html(self) -> Html:
        """Return a table with one row per attribute and hyperparameter."""
        lines = [
            ("trial", str(self.number)),
            ("budget", f"{self.budget:g}"),
            ("seed", str(self.seed)),
            ("continues", "–" if self.parent is None else f"trial {self.parent}"),
            ("bracket", str(self.bracket)),
            ("network", self.key),
        ]
        lines += rows("configuration", values(self.configuration), lines)
        return table(("", ""), lines)


@dataclass(frozen=True, repr=False)
class Evaluation:
    """The result of a trial.

    Attributes:
        trial: the evaluated trial.
        cost: the minimised value; infinite unless `status` is success.
        metrics: everything else that the objective returned.
        curve: the reported pairs (step, cost); steps are totals. Of more than 1000, 1000 evenly
            spaced ones are kept, the first and the last included.
        seconds: the duration on a monotonic clock; 0 when reused.
        started: seconds since the search began, over all its runs.
        status: the outcome.
        reused: the number of the trial whose result this is, when the same network had been
            evaluated before at the same budget and seed.
        error: the traceback or the reason of a failure; a text above 16 KiB loses its middle.
        retrained: it was trained from scratch although it has a parent: the objective does not
            resume, or the parent's checkpoint was missing or damaged.
        unsaved: the reason why its last checkpoint could not be written, such as a full disk; its
            promotion trains from scratch. None if it was written, or there was none to write.
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
        """Apply the caps."""
        object.__setattr__(self, "curve", thinned(self.curve))
        if self.error is not None:
            object.__setattr__(self, "error", shortened(self.error))

    def __repr__(self) -> str:
        result = f"cost={self.cost:g}" if self.succeeded else f"status={str(self.status)!r}"
        return f"Evaluation({result}, {self.trial!r})"

    def _repr_html_(self) -> str:
        return self.html()

    def html(self) -> Html:
        """Return a table of the result above that of the trial."""
        lines = [
            ("cost", self.cost_text),
            ("status", self.status_text),
            ("seconds", f"{self.seconds:.2f}"),
        ]
        lines += rows("metrics", self.metrics, lines)
        error = element("pre", without_folders(self.error)) if self.error else Html()
        return element("div", table(("", ""), lines), error, self.trial.html())

    @property
    def succeeded(self) -> bool:
        """Whether there is a cost to learn from."""
        return self.status is Status.SUCCESS

    @property
    def cost_text(self) -> str:
        """The cost with four digits, or a dash where there is none."""
        return f"{self.cost:.4g}" if self.succeeded else "–"

    @property
    def status_text(self) -> str:
        """The outcome, with the trial whose result was reused."""
        known = "" if self.reused is None else f", known from trial {self.reused}"
        return f"{self.status}{known}"
