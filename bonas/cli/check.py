"""`python -m bonas check DIRECTORY`: whether everything in it is whole."""

from __future__ import annotations

import warnings
from pathlib import Path

from bonas.search.checkpoint_store import CHECKPOINTS
from fidelity.checkpoint import Checkpoint
from fidelity.history import journal
from fidelity.history.history import History
from fidelity.history.journal import Journal, JournalError


def check(directory: Path, repair: bool = False) -> tuple[list[str], bool]:
    """Looks at every record and every checkpoint.

    Nothing is locked or changed, unless a torn last line is to be cut off, as a search that goes
    on does by itself. Damage before the last line is never touched.

    Args:
        directory: of a search.
        repair: cuts off a torn last line.

    Returns:
        What was found, and whether all is well now.

    Raises:
        JournalError: there is no history, or it is to be repaired while another process has it.
    """
    path = directory / journal.NAME
    if not path.is_file():
        raise JournalError(f"there is no history in {directory}: {journal.NAME} is missing")
    lines = path.read_bytes().splitlines(keepends=True)
    damaged = [number for number, line in enumerate(lines, start=1) if not _whole(line)]
    found = [f"{path}: {len(lines)} lines"]
    torn = damaged == [len(lines)] and len(lines) > 1
    if torn and repair:
        with Journal(directory) as owned, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it cuts
            owned.records()
        found.append(f"line {len(lines)} was torn and is cut off: what it held is made again")
    elif torn:
        found.append(
            f"line {len(lines)}, the last, is torn or just being written: a search that goes on "
            "drops it, and so does --repair"
        )
    else:
        found += [
            f"line {number} is damaged: restore the file from a copy, or remove that line if you "
            "can do without what it recorded"
            for number in damaged
        ]
    well = not damaged or (torn and repair)
    if not damaged or torn:
        history, problem = _history(path)
        found.append(problem or _told(history))
        well = well and problem is None
        problems = _checkpoints(directory, history)
        found += problems
        well = well and not problems
    return found, well


def _whole(line: bytes) -> bool:
    try:
        journal.decode(line)
    except ValueError:
        return False
    return True


def _history(path: Path) -> tuple[History, str | None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        header, records, _ = journal.read(path)
    history = History.begun(header)
    try:
        history.replay(records, path)
    except JournalError as error:
        return history, str(error)
    return history, None


def _told(history: History) -> str:
    return (
        f"{len(history.trials)} trials, {len(history)} evaluations, "
        f"{len(history.pending)} trials to be evaluated"
    )


def _checkpoints(directory: Path, history: History) -> list[str]:
    problems = []
    for path in sorted((directory / CHECKPOINTS).glob("trial-*.pt")):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            Checkpoint(path).load()
        number = path.stem.removeprefix("trial-")
        if caught:
            problems.append(f"{caught[0].message} if its trial is promoted")
        elif not number.isdecimal() or int(number) >= len(history.trials):
            problems.append(f"{path} is of no trial of this history: a search removes it")
    return problems
