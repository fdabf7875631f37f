"""A read-only view of the directory of a search, which may be running."""

from __future__ import annotations

import re
import socket
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bonas.search.checkpoint_store import CHECKPOINTS
from fidelity.checkpoint import Checkpoints
from fidelity.history import journal
from fidelity.history.history import History
from fidelity.history.records import recommended_trial
from fidelity.history.trial import Evaluation


@dataclass(frozen=True)
class SearchDirectory:
    """The content of a directory when it was read; reading locks and changes nothing.

    Attributes:
        path: of the directory.
        manifest: the first line of the journal.
        history: of the search.
        recommended: the evaluation that the strategy recommended at the end of the last run; None
            if there was no such run, or evaluations followed it.
        proposed: when each trial was proposed, in seconds since 1970.
        owner: the writer that the lock names; None if there is none.
    """

    path: Path
    manifest: Mapping[str, Any]
    history: History
    recommended: Evaluation | None
    proposed: Mapping[int, float]
    owner: str | None

    @classmethod
    def read(cls, path: str | Path) -> SearchDirectory:
        """Read a directory.

        Raises:
            JournalError: there is no history, or it cannot be read.
        """
        path = Path(path)
        owner = journal.owner(path)
        file = path / journal.NAME
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the search may be writing the last line
            manifest, records, _ = journal.read(file)
        history = History.begun(manifest)
        history.replay(records, file)
        proposed = {record["number"]: record["asked"] for record in records if "asked" in record}
        trial = recommended_trial(records)
        recommended = None if trial is None else history.evaluation(trial)
        return cls(path, manifest, history, recommended, proposed, owner)

    @property
    def running(self) -> bool:
        """True if the directory has a writer, unless that process is known to have ended."""
        return self.owner is not None and not _ended(self.owner)

    def checkpoint_bytes(self) -> dict[int, int]:
        """Return the size of each checkpoint by the number of its trial."""
        return Checkpoints(self.path / CHECKPOINTS).sizes()


def _ended(owner: str) -> bool:
    """Return whether a process of this machine has ended; one of another machine may run."""
    named = re.fullmatch(r"process (\d+) on (.*)", owner)
    if named is None or named[2] != socket.gethostname():
        return False
    try:
        return bool(psutil.Process(int(named[1])).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
