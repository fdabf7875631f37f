"""A look into the directory of a search, which locks and changes nothing."""

from __future__ import annotations

import re
import socket
import time
import warnings
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bonas.search.checkpoint_store import CHECKPOINTS
from fidelity.checkpoint import Checkpoints
from fidelity.history import journal
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.space import values

SHOWN = 8
"""So many pending trials are named."""


@dataclass(frozen=True)
class Look:
    """What was found in a directory.

    Attributes:
        directory: of the search.
        header: the first line of its history.
        history: of the search.
        asked: when each pending trial was asked for, in seconds since 1970.
        owner: who writes, as the lock names it; None if nobody says so.
        checkpoints: bytes by trial.
    """

    directory: Path
    header: Mapping[str, Any]
    history: History
    asked: Mapping[int, float]
    owner: str | None
    checkpoints: Mapping[int, int]

    @classmethod
    def into(cls, directory: Path) -> Look:
        """Reads a directory, also while the search runs.

        Raises:
            JournalError: there is no history, or it cannot be read.
        """
        owner = journal.owner(directory)
        path = directory / journal.NAME
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a last line that is just being written
            header, records, _ = journal.read(path)
        history = History.begun(header)
        history.replay(records, path)
        asked = {record["number"]: record["asked"] for record in records if "asked" in record}
        sizes = Checkpoints(directory / CHECKPOINTS).sizes()
        return cls(directory, header, history, asked, owner, sizes)

    @property
    def running(self) -> bool:
        """Whether somebody writes: whoever says so, unless its process is seen to be gone."""
        return self.owner is not None and not _gone(self.owner)

    def lines(self) -> list[str]:
        """What is to be said about it."""
        history = self.history
        told = [
            str(self.directory),
            f"space {_named(self.header.get('space', {}))}",
            f"objective {_named(self.header.get('objective', {}))}",
            f"strategy {_named(self.header.get('strategy', {}))}",
            f"schedule {_named(self.header.get('schedule', {}))}, "
            f"seed {self.header.get('seed', '?')}",
            f"{len(history)} evaluations of {len(history.trials)} trials, "
            f"{history.resource:g} epochs spent in {self._hours()} of the search",
        ]
        best = history.incumbent
        within = " within all limits" if history.closest is not None else ""
        told.append(f"no success{within} yet" if best is None else _best(best))
        if len(history.goal.objectives) > 1:
            told.append(f"Pareto front: {len(history.pareto_front)} evaluations")
        counts = Counter(str(e.status) for e in history.evaluations)
        told.append("status: " + (", ".join(f"{k} {n}" for k, n in counts.most_common()) or "-"))
        reused = sum(e.reused is not None for e in history.evaluations)
        told.append(f"known results used again: {reused}")
        told += self._pending()
        size = sum(self.checkpoints.values())
        told.append(f"checkpoints: {len(self.checkpoints)} files, {size / 1e6:.1f} MB")
        told.append(self._writer())
        return told

    def _hours(self) -> str:
        ended = (e.started + e.seconds for e in self.history.evaluations)
        return _duration(max(ended, default=0.0))

    def _pending(self) -> list[str]:
        pending = self.history.pending
        if not pending:
            return []
        told = [self._since(trial) for trial in pending[:SHOWN]]
        if more := len(pending) - len(told):
            told.append(f"  and {more} more")
        head = "running or next:" if self.running else "to be evaluated when it goes on:"
        return [head, *told]

    def _since(self, trial: Trial) -> str:
        said = f"  trial {trial.number} at budget {trial.budget:g}"
        if trial.parent is not None:
            said += f", continues trial {trial.parent}"
        if (asked := self.asked.get(trial.number)) is not None:
            said += f", asked for {_duration(max(0.0, time.time() - asked))} ago"
        return said

    def _writer(self) -> str:
        if self.owner is None:
            return "nobody is writing to it"
        return f"in use by {self.owner}" if self.running else f"left by {self.owner}, which is gone"


def _best(evaluation: Evaluation) -> str:
    trial = evaluation.trial
    chosen = ", ".join(f"{name}={value}" for name, value in values(trial.configuration).items())
    found = f"best cost {evaluation.cost:.4f} at budget {trial.budget:g} (trial {trial.number})"
    return f"{found}: {chosen}"


def _named(description: Mapping[str, Any]) -> str:
    """A class with the settings that the header keeps."""
    settings = [
        f"{name}={_named(value) if isinstance(value, dict) else value}"
        for name, value in description.items()
        if name not in ("class", "len") and not isinstance(value, list)
    ]
    return f"{description.get('class', '?')}({', '.join(settings)})"


def _duration(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"


def _gone(owner: str) -> bool:
    """Whether a process of this machine has ended; of others nothing is known."""
    found = re.fullmatch(r"process (\d+) on (.*)", owner)
    if found is None or found[2] != socket.gethostname():
        return False
    try:
        return bool(psutil.Process(int(found[1])).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
