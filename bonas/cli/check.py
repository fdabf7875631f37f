"""`bonas check DIRECTORY`: the integrity of the journal and of all checkpoints."""

from __future__ import annotations

import math
import warnings
from pathlib import Path

from bonas.search.checkpoint_store import CHECKPOINTS
from bonas.search.directory import SearchDirectory
from fidelity.checkpoint import Checkpoint
from fidelity.history import journal
from fidelity.history.history import History
from fidelity.history.journal import Journal, JournalError


def check(directory: Path, repair: bool = False) -> tuple[list[str], bool]:
    """Verify that all records and checkpoints are intact.

    Nothing is locked or changed, except that `repair` cuts off a torn last line, as a search that
    resumes does by itself. Damage before the last line is never touched.

    Args:
        directory: of a search.
        repair: cut off a torn last line.

    Returns:
        The findings, and whether everything is intact now.

    Raises:
        JournalError: there is no history, or another process is writing to it during a repair.
    """
    path = directory / journal.NAME
    if not path.is_file():
        raise JournalError(f"there is no history in {directory}: {journal.NAME} is missing")
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = [number for number, line in enumerate(lines, start=1) if not _intact(line)]
    findings = [f"{path}: {len(lines)} lines"]
    torn = damaged == [len(lines)] and len(lines) > 1
    if damaged and not torn:
        findings += [
            f"line {number} is damaged: restore the file from a copy, or remove that line if you "
            "can do without what it recorded"
            for number in damaged
        ]
        return findings, False
    if torn and repair:
        _cut(directory)
        findings.append(f"line {len(lines)} was torn and is cut off: its work is done again")
    elif torn:
        findings.append(
            f"line {len(lines)}, the last, is torn or just being written: a search that resumes "
            "drops it, and so does --repair"
        )
    try:
        history = SearchDirectory.read(directory).history
    except JournalError as error:
        return [*findings, str(error), *_bad_checkpoints(directory, math.inf)], False
    findings.append(_counts(history))
    problems = _bad_checkpoints(directory, len(history.trials))
    return findings + problems, not problems and (repair or not torn)


def _intact(line: bytes) -> bool:
    try:
        journal.decode(line)
    except ValueError:
        return False
    return True


def _cut(directory: Path) -> None:
    with Journal(directory) as owned, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the cut
        owned.records()


def _counts(history: History) -> str:
    return (
        f"{len(history.trials)} trials, {len(history)} evaluations, "
        f"{len(history.pending)} trials to be evaluated"
    )


def _bad_checkpoints(directory: Path, trials: float) -> list[str]:
    problems = []
    for path in sorted((directory / CHECKPOINTS).glob("trial-*.pt")):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            Checkpoint(path).load()
        number = path.stem.removeprefix("trial-")
        if caught:
            problems.append(f"{caught[0].message} if its trial is promoted")
        elif not number.isdecimal() or int(number) >= trials:
            problems.append(f"{path} belongs to no trial of this history: a search removes it")
    return problems
