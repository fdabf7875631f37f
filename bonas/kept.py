"""Which checkpoints a search keeps, and which of them a trial continues from."""

from __future__ import annotations

from pathlib import Path

from fidelity.checkpoint import Checkpoint, Checkpoints
from fidelity.history import History
from fidelity.objective import Context
from fidelity.one_cost import one_cost
from fidelity.schedules.schedule import Schedule
from fidelity.trial import Trial


class KeptCheckpoints:
    """The checkpoints of a search.

    Args:
        directory: where they lie. Those of trials that the history does not know are removed.
        history: of the search.
        schedule: says which trials may still be continued.
    """

    def __init__(self, directory: Path, history: History, schedule: Schedule) -> None:
        self._files = Checkpoints(directory)
        self._history = history
        self._schedule = schedule
        self._files.forget(len(history.trials))

    def context(self, trial: Trial) -> Context:
        """What a trial goes on from, and where it leaves its own checkpoint.

        It goes on from its own if an attempt at it has been broken off, else from its parent's.
        """
        target = self._files.path(trial.number)
        if not self._history.resumes:
            return Context(Checkpoint(None, target))
        return self._from_parent(trial, target).again()

    def _from_parent(self, trial: Trial, target: Path) -> Context:
        if trial.parent is None:
            return Context(Checkpoint(None, target))
        source = self._files.path(self._owner(trial.parent))
        # A network that lost a rung has lost its checkpoint too; if it is proposed again and wins
        # another, there is nothing to continue from.
        if self._files.directory.exists() and not source.exists():
            return Context(Checkpoint(None, target))
        return Context(
            Checkpoint(source, target), resumed=self._history.trials[trial.parent].budget
        )

    def of(self, trial: int) -> Path | None:
        """The file that trial number `trial` left, if it is still kept."""
        path = self._files.path(self._owner(trial))
        return path if path.exists() else None

    def tidy(self) -> None:
        """Removes what nobody needs any more, if it is time.

        To look through all checkpoints takes as long as there are many of them, so a long search
        looks once in a hundredth of its length: by its length alone, so that a search that was
        resumed removes the same files at the same time.
        """
        n = len(self._history)
        if n % max(1, n // 100) == 0 and self._files.directory.exists():
            self._files.keep(self._needed())

    def _needed(self) -> set[int]:
        needed: set[int] = set()
        if self._history.resumes:
            needed |= self._schedule.continuable(one_cost(self._history))
            needed |= {t.parent for t in self._history.pending if t.parent is not None}
        if self._history.incumbent is not None:
            needed.add(self._history.incumbent.trial.number)
        if len(self._history.target.objectives) > 1:
            needed |= {evaluation.trial.number for evaluation in self._history.pareto_front}
        # The last one too: a twin of it, which is recorded next, may be the one to be continued.
        fresh = {evaluation.trial.number for evaluation in self._history.evaluations[-1:]}
        running = {trial.number for trial in self._history.pending}
        return {self._owner(trial) for trial in needed} | running | fresh

    def _owner(self, trial: int) -> int:
        """The number of the trial that was really evaluated for `trial`."""
        evaluation = self._history.evaluation(trial)
        return trial if evaluation is None or evaluation.reused is None else evaluation.reused
