"""The checkpoints of a search: from which one a trial resumes, and which ones are deleted."""

from __future__ import annotations

import logging
import warnings
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from fidelity.checkpoint import Checkpoint, Checkpoints, CheckpointWarning
from fidelity.disk import remedy
from fidelity.history.history import History
from fidelity.history.journal import JournalError
from fidelity.history.ranking import ranked
from fidelity.history.trial import Trial
from fidelity.objective import Context
from fidelity.schedules.schedule import Schedule

CHECKPOINTS = "checkpoints"
"""The folder of the checkpoints in the directory of a search."""

log = logging.getLogger(__name__)


def check_cap(most_bytes: int | None) -> None:
    """Raise unless a cap on the bytes of checkpoints is positive, or None for no cap.

    Raises:
        ValueError: it is not.
    """
    if most_bytes is not None and not most_bytes > 0:
        raise ValueError(f"checkpoint_bytes is a positive number or None, not {most_bytes}")


class CheckpointStore:
    """The checkpoints of a search.

    Args:
        directory: of the files. Those of trials that the history does not have are deleted.
        history: of the search.
        schedule: decides which trials may still be promoted.
        most_bytes: the cap on the bytes of all checkpoints; None is no cap. Above it, those of the
            least promising paused trials are deleted first; if such a trial is promoted after all,
            it is retrained from scratch. Running trials and their parents, the incumbent and the
            last evaluation keep theirs.

    Raises:
        JournalError: a checkpoint cannot be removed.
    """

    def __init__(
        self,
        directory: Path,
        history: History,
        schedule: Schedule,
        most_bytes: int | None = None,
    ) -> None:
        self._most_bytes = most_bytes
        self._warned = False
        self._files = Checkpoints(directory)
        self._history = history
        self._schedule = schedule
        with self._removing():
            self._files.forget(len(history.trials))

    def context(self, trial: Trial) -> Context:
        """Return the checkpoint that a trial resumes from, and the path of its own.

        It resumes from its own if an earlier attempt was interrupted, else from its parent's.
        """
        target = self._files.path(trial.number)
        if not self._history.resumes:
            return Context(Checkpoint(None, target))
        return self._from_parent(trial, target).again()

    def _from_parent(self, trial: Trial, target: Path) -> Context:
        if trial.parent is None:
            return Context(Checkpoint(None, target))
        parent = self._owner(trial.parent)
        if (reason := self._unsaved(parent)) is not None:
            warnings.warn(
                f"trial {trial.number} trains from the beginning: the checkpoint of trial "
                f"{parent}, which it promotes, could not be written ({reason})",
                CheckpointWarning,
                stacklevel=3,
            )
            return Context(Checkpoint(None, target))
        source = self._files.path(parent)
        # A trial that was not promoted has lost its checkpoint; if its network is proposed again
        # and promoted then, there is nothing to resume from.
        if self._files.directory.exists() and not source.exists():
            return Context(Checkpoint(None, target))
        return Context(
            Checkpoint(source, target), resumed=self._history.trials[trial.parent].budget
        )

    def of(self, trial: int) -> Path | None:
        """Return the checkpoint of trial number `trial`, if it is still stored."""
        owner = self._owner(trial)
        path = self._files.path(owner)
        return path if path.exists() and self._unsaved(owner) is None else None

    def tidy(self) -> None:
        """Delete the checkpoints that are not needed any more, if it is time.

        Listing all files takes time in proportion to their number, so a long search does it once
        per hundredth of its length. The length alone decides, so that a resumed search deletes the
        same files at the same time.

        Raises:
            JournalError: a checkpoint cannot be removed.
        """
        if self._files.directory.exists():
            with self._removing():
                self._tidy()

    def _tidy(self) -> None:
        n = len(self._history)
        if n % max(1, n // 100) == 0:
            needed = self._paused() | self._held()
            self._files.keep({trial for trial in needed if self._unsaved(trial) is None})
        if self._most_bytes is not None:
            self._shrink(self._most_bytes)

    @contextmanager
    def _removing(self) -> Iterator[None]:
        """Say which directory refuses to have a file removed, and what to do about it."""
        try:
            yield
        except OSError as error:
            raise JournalError(
                f"a checkpoint in {self._files.directory} cannot be removed "
                f"({error.strerror or error}): {remedy(error)}"
            ) from error

    def _shrink(self, most: int) -> None:
        """Delete the least promising checkpoints until the others take at most `most` bytes."""
        sizes = self._files.sizes()
        total = sum(sizes.values())
        if total <= most:
            return
        rungs = {
            budget: sorted(e.cost for e in self._history.at(budget))
            for budget in self._history.budgets
        }
        promise = {trial: self._promise(trial, rungs) for trial in sizes.keys() - self._held()}
        for trial in sorted(promise, key=lambda trial: (promise[trial], trial)):
            self._files.remove(trial)
            total -= sizes[trial]
            if total <= most:
                return
        if not self._warned:
            self._warned = True
            log.warning(
                f"the checkpoints take {total} bytes, above their cap of {most}, and all of them "
                "are needed now"
            )

    def _promise(self, trial: int, rungs: Mapping[float, Sequence[float]]) -> float:
        """Return the share of evaluations at its budget that are no better than it.

        Args:
            trial: its number.
            rungs: the costs at each budget, ascending.
        """
        evaluation = self._history.evaluation(trial)
        if evaluation is None or not evaluation.succeeded:
            return 0.0
        costs = rungs[evaluation.trial.budget]
        return 1 - bisect_left(costs, evaluation.cost) / len(costs)

    def _paused(self) -> set[int]:
        """Return the trials whose checkpoints may be needed."""
        if not self._history.resumes:
            return set()
        return {self._owner(trial) for trial in self._schedule.continuable(ranked(self._history))}

    def _held(self) -> set[int]:
        """Return the trials whose checkpoints are needed."""
        pending = self._history.pending
        needed = {t.parent for t in pending if t.parent is not None and self._history.resumes}
        if self._history.incumbent is not None:
            needed.add(self._history.incumbent.trial.number)
        if len(self._history.goal.objectives) > 1:
            needed |= {evaluation.trial.number for evaluation in self._history.pareto_front}
        # The last one too: a duplicate of it, which is recorded next, may be promoted.
        latest = {evaluation.trial.number for evaluation in self._history.evaluations[-1:]}
        running = {trial.number for trial in pending}
        return {self._owner(trial) for trial in needed} | running | latest

    def _unsaved(self, trial: int) -> str | None:
        """Return why trial number `trial` has no checkpoint; its file may be outdated."""
        evaluation = self._history.evaluation(trial)
        return None if evaluation is None else evaluation.unsaved

    def _owner(self, trial: int) -> int:
        """Return the trial whose result and checkpoint `trial` reuses, or itself."""
        evaluation = self._history.evaluation(trial)
        return trial if evaluation is None or evaluation.reused is None else evaluation.reused
