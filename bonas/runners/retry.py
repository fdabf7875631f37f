"""Attempts at a trial, and the retry of one whose worker was lost."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Self

from bonas.runners.trial_limits import TrialLimits
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.objective import Context, Objective, resumes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attempt:
    """One attempt at a trial by a worker that may be lost.

    Attributes:
        trial: to evaluate.
        context: of this attempt.
        submitted: seconds on the runner's clock.
        resumes: whether the objective resumes from the checkpoint of an earlier attempt.
        number: of this attempt, from 1.
    """

    trial: Trial
    context: Context
    submitted: float
    resumes: bool
    number: int = 1

    @classmethod
    def first(
        cls, objective: Objective, trial: Trial, context: Context, submitted: float
    ) -> Attempt:
        """Return the first attempt at a trial.

        Args:
            objective: to evaluate.
            trial: to evaluate.
            context: as the search submitted it.
            submitted: seconds on the runner's clock.
        """
        return cls(trial, replace(context, curve=[]), submitted, resumes(objective))

    def again(self) -> Self:
        """Return the same attempt, from the last checkpoint if the objective resumes."""
        context = self.context.again() if self.resumes else replace(self.context, curve=[])
        return replace(self, context=context)

    def after_loss(self, cause: str, seconds: float, retries: int) -> Self | Evaluation:
        """Return the next attempt after the loss of the worker, or the final failure.

        Args:
            cause: of the loss.
            seconds: of this attempt.
            retries: the number of attempts after the first.
        """
        times = f"{self.number} time{'s' if self.number > 1 else ''}"
        reason = f"the worker of trial {self.trial.number} was lost ({times}): {cause}"
        if self.number > retries:
            return Evaluation(self.trial, status=Status.LOST, error=reason, seconds=seconds)
        log.warning(f"{reason}; retrying")
        return replace(self.again(), number=self.number + 1)

    def after_answer(self, evaluation: Evaluation, retries: int) -> Self | Evaluation:
        """Return the next attempt if the trial has lost a process of its own, else the evaluation.

        Args:
            evaluation: of this attempt, as the worker answered.
            retries: the number of attempts after the first.
        """
        if evaluation.status is not Status.LOST:
            return evaluation
        cause = (evaluation.error or "").rstrip().rpartition("ProcessLost: ")[2]
        return self.after_loss(cause, evaluation.seconds, retries)

    def over_limit(self, limits: TrialLimits, seconds: float, memory: int) -> Evaluation | None:
        """Return the failure of an attempt that exceeds a limit, else None.

        Args:
            limits: of each trial.
            seconds: of this attempt so far.
            memory: bytes that the worker's process occupies.
        """
        exceeded = limits.exceeded(seconds, memory)
        if exceeded is None:
            return None
        status, reason = exceeded
        return Evaluation(self.trial, status=Status(status), error=reason, seconds=seconds)
