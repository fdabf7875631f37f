"""A report: one page about a search that opens from a file, without a network."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bonas.analysis.sources import history_of
from bonas.reports.html import name_of
from bonas.reports.page import Subject, page
from bonas.search.directory import SearchDirectory
from fidelity.disk import write_whole
from fidelity.history.history import History
from spaces.space import Space

if TYPE_CHECKING:
    from bonas.search.search import Search


def report(
    source: Search | History | str | Path, path: str | Path, *, space: Space | None = None
) -> Path:
    """Writes one self-contained page: choices, curve, incumbent, trials, failures, versions.

    Figures, style and script stand in the page, which asks no network for anything, and names
    neither the machine nor its folders (but for what messages of your own code say).

    Args:
        source: a search, also one that runs; a history; or the directory of a search. Only a
            history by itself does not know what was chosen.
        path: the file, for instance 'report.html'; it is replaced whole.
        space: draws the incumbent of a history or a directory, which don't hold the space.

    Returns:
        The path.

    Raises:
        JournalError: there is no history in the directory, or it cannot be read.
        TypeError: the source stands for no history.
        OSError: the file cannot be written.
    """
    target = Path(path)
    text = page(_subject(source, space))
    write_whole(target, text.encode(errors="backslashreplace"))
    return target


def _subject(source: Search | History | str | Path, space: Space | None) -> Subject:
    if isinstance(source, str | Path):
        stored = SearchDirectory.read(source)
        return Subject(stored.history, stored.history.incumbent, _chosen(stored.manifest), space)
    from bonas.search.search import Search

    if not isinstance(source, Search):
        history = history_of(source)
        return Subject(history, history.incumbent, space=space)
    header = source.manifest()
    chosen = _chosen(header) | {"objective": _objective(source.objective, header["objective"])}
    return Subject(source.history, source.incumbent, chosen, space or source.space)


def _objective(objective: object, described: Any) -> Any:
    """A function has a name, which says more than that it is one."""
    return described | {"class": name_of(objective)}


def _chosen(header: Mapping[str, Any]) -> dict[str, Any]:
    """What the first line of a history says, but for the configuration space."""
    return {
        name: header[name]
        for name in ("space", "objective", "strategy", "schedule", "seed", "versions")
        if name in header
    }
