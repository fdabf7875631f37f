"""Failed evaluations of a run: what is logged, and when the run gives up."""

from __future__ import annotations

import logging
import warnings

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status
from spaces.space import values

FIRST_FAILURES = 5
"""Failures after which a run stops if nothing has ever succeeded."""

MAX_TRACEBACKS = 3
"""Failures of a run that are logged with their tracebacks; later ones take one line each."""

log = logging.getLogger(__name__)


class NothingWorks(RuntimeError):
    """All evaluations of a run have failed."""


class NothingFeasible(RuntimeError):
    """No proposal met the constraints that are computable before training."""


def warn_if_infeasible(history: History) -> None:
    """Warn if networks were evaluated and none met all constraints, naming the closest one."""
    closest = history.closest
    if closest is None or history.incumbent is not None:
        return
    violations = [
        f"{c} (trial {closest.trial.number} has {history.goal.value(closest, c.name):g})"
        for c in history.goal.constraints
    ]
    warnings.warn(
        f"none of {len(history)} evaluations met all constraints. The closest one: "
        f"{', '.join(violations)}. Loosen a constraint, or search for longer",
        stacklevel=3,
    )


class Failures:
    """Counts the failures of one run.

    A network with nothing to train (`invalid`) is no failure here: spaces may have many of them.

    Args:
        history: of the search, with the results of earlier runs.
        most: the number of failures without a success at which the run gives up.

    Raises:
        ValueError: `most` is below 1.
    """

    def __init__(self, history: History, most: int) -> None:
        if most < 1:
            raise ValueError(f"first_failures is a number of evaluations from 1 on, not {most}")
        self._most = most
        self._first: Evaluation | None = None
        self._last: Evaluation | None = None
        self._count = 0
        self._worked = False  # in this run
        self._works = any(evaluation.succeeded for evaluation in history.evaluations)

    def count(self, evaluation: Evaluation) -> None:
        """Count an evaluation, and log it if it failed.

        Raises:
            NothingWorks: `most` have failed and none has ever succeeded.
        """
        self._worked = self._worked or evaluation.succeeded
        self._works = self._works or evaluation.succeeded
        if evaluation.succeeded or evaluation.status is Status.INVALID:
            return
        self._first, self._last = self._first or evaluation, evaluation
        self._count += 1
        self._log(evaluation)
        if not self._works and self._count >= self._most:
            raise NothingWorks(
                f"the first {self._count} evaluations have all failed, so the run stops; the "
                f"history keeps them. The first was {_described(self._first)}"
            )

    def end(self) -> None:
        """Verify at the end of a run that not all of its evaluations have failed.

        Where an earlier run succeeded, a few failures are no reason to doubt the objective.

        Raises:
            NothingWorks: all evaluations of this run have failed, and none has ever succeeded or
                `most` have failed.
        """
        if self._last is None or self._worked:
            return
        if not self._works or self._count >= self._most:
            which = "no evaluation of this run" if self._works else "no evaluation"
            raise NothingWorks(
                f"{which} succeeded; the last error:\n{_described(self._last)}\n"
                f"The run had {self._count} failures; the history keeps them"
            )

    def _log(self, evaluation: Evaluation) -> None:
        if self._count <= MAX_TRACEBACKS:
            log.error(_described(evaluation))
        else:
            last = (evaluation.error or "").strip().splitlines()[-1:]
            log.warning(f"trial {evaluation.trial.number} {evaluation.status}: {''.join(last)}")


def _described(evaluation: Evaluation) -> str:
    trial = evaluation.trial
    error = (evaluation.error or "it gave no reason").strip()
    choices = ", ".join(f"{name}={value}" for name, value in values(trial.configuration).items())
    return (
        f"trial {trial.number} at budget {trial.budget:g}: {evaluation.status}\n{error}\n"
        f"The configuration of trial {trial.number}: {choices}"
    )
