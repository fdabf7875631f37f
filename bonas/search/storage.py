"""The record of a search: its history, and in a directory the journal and the manifest of it."""

from __future__ import annotations

import shutil
import tempfile
import time
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ConfigSpace import Configuration

from bonas.search.checkpoint_store import CHECKPOINTS
from bonas.search.manifest import check_manifest
from fidelity.history.history import History
from fidelity.history.journal import Journal
from fidelity.history.records import (
    enqueued_configurations,
    enqueued_record,
    evaluation_record,
    recommendation_record,
    recommended_trial,
    refused_record,
    scored_record,
    trial_record,
)
from fidelity.history.scores import Scored
from fidelity.history.trial import Evaluation, Trial


class Storage:
    """Appends to a history, and to the journal from which a later process replays it.

    Args:
        history: of the search, empty; an earlier one in the directory is replayed into it.
        directory: where journal and checkpoints lie. None keeps the history in memory, and the
            checkpoints in a temporary directory that is removed with this object.
        manifest: makes the first line of the journal: what the search is.

    Attributes:
        history: of the search.
        directory: with the checkpoints, and the journal if there is one.

    Raises:
        JournalError: the directory cannot be written, is in use, or holds another search.
    """

    def __init__(
        self,
        history: History,
        directory: str | Path | None,
        manifest: Callable[[], dict[str, Any]],
    ) -> None:
        self.history = history
        self._enqueued: deque[Configuration] = deque()
        self._named: int | None = None  # the trial that the journal recommends
        self._journal: Journal | None = None
        self._remove: Callable[[], object] | None = None
        if directory is None:
            self.directory = Path(tempfile.mkdtemp(prefix="bonas-"))
            # Removed with this object, or when Python ends.
            self._remove = weakref.finalize(self, shutil.rmtree, self.directory, True)
            return
        self.directory = Path(directory)
        self._journal = Journal(self.directory)
        try:
            self._resume(self._journal, manifest())
        except BaseException:
            self.close()
            raise

    def _resume(self, journal: Journal, manifest: dict[str, Any]) -> None:
        recorded, records = journal.records()
        if recorded is not None and not check_manifest(recorded, records, manifest, self.directory):
            journal.clear()
            shutil.rmtree(self.checkpoints, ignore_errors=True)
            recorded, records = None, []
        if recorded is None:
            journal.append(manifest, durable=True)
        self.history.replay(records, journal.path)
        self._named = recommended_trial(records)
        self._enqueued.extend(enqueued_configurations(records, self.history.space))

    @property
    def durable(self) -> bool:
        """Whether there is a journal."""
        return self._journal is not None

    @property
    def checkpoints(self) -> Path:
        """The directory of the checkpoints."""
        return self.directory / CHECKPOINTS

    @property
    def elapsed(self) -> float:
        """Seconds from the beginning of the search to the end of its last evaluation or score."""
        done = (*self.history.evaluations, *self.history.scores)
        return max((each.started + each.seconds for each in done), default=0.0)

    def add_trial(self, trial: Trial) -> None:
        """Append a trial; one that is lost in a crash is only requested again."""
        self.history.add_trial(trial)
        self._append({**trial_record(trial), "asked": time.time()}, durable=False)

    def refuse(self, key: str) -> None:
        """Append a network that violates a constraint, and so is not trained."""
        self.history.refuse(key)
        self._append(refused_record(key), durable=False)

    def add_scored(self, scored: Scored) -> None:
        """Append the zero-cost scores of a network."""
        self.history.scores.add(scored)
        self._append(scored_record(scored), durable=False)

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Append an evaluation; it is on the disk before the history has it.

        Raises:
            JournalError: it could not be written.
        """
        self._append(evaluation_record(evaluation), durable=True)
        self.history.add_evaluation(evaluation)
        self._named = None

    def enqueue(self, configuration: Configuration) -> None:
        """Append a configuration that is to be evaluated before any proposal."""
        self._enqueued.append(configuration)
        self._append(enqueued_record(configuration), durable=True)

    def dequeue(self) -> Configuration | None:
        """Remove and return the configuration that was enqueued first; None if there is none."""
        return self._enqueued.popleft() if self._enqueued else None

    def recommend(self, trial: int) -> None:
        """Append the number of the recommended trial, unless readers would name it anyway."""
        incumbent = self.history.incumbent
        named = incumbent and incumbent.trial.number if self._named is None else self._named
        if trial != named:
            self._append(recommendation_record(trial), durable=True)
            self._named = trial

    def _append(self, record: Mapping[str, Any], *, durable: bool) -> None:
        if self._journal is not None:
            self._journal.append(record, durable=durable)

    def close(self) -> None:
        """Release the directory lock, or remove the temporary directory."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None
        if self._remove is not None:
            self._remove()
