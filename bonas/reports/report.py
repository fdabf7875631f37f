"""A report: one self-contained page about a search that opens without a network connection."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypeGuard

from bonas.analysis.sources import history_of
from bonas.reports.page import Subject, page
from bonas.search.directory import SearchDirectory
from bonas.search.display import Searched, name_of
from fidelity.disk import write_whole
from fidelity.history.history import History
from spaces.space import Space

Source: TypeAlias = Searched | History | str | Path

PARTS = ("space", "objective", "strategy", "schedule", "seed", "versions")
"""The members of a manifest that the page shows."""


def report(source: Source, path: str | Path, *, space: Space | None = None) -> Path:
    """Write one self-contained page: settings, curve, best network, trials, failures, versions.

    Figures, style and script are part of the page. It makes no network requests, and names neither
    the machine nor its folders (unless error messages from your own code do).

    Args:
        source: a search, running or finished; a history; or the directory of a search. A history
            alone does not record the settings of its search.
        path: the file to write, for example 'report.html'; an existing file is replaced atomically.
        space: draws the best network of a history or a directory, neither of which holds the space.

    Returns:
        The path.

    Raises:
        JournalError: the directory holds no history, or the history cannot be read.
        TypeError: the source is neither a search, a history nor a directory.
        OSError: the file cannot be written.
    """
    target = Path(path)
    text = page(_subject(source, space))
    write_whole(target, text.encode(errors="backslashreplace"))
    return target


def _subject(source: Source, space: Space | None) -> Subject:
    if isinstance(source, str | Path):
        stored = SearchDirectory.read(source)
        best = stored.recommended or stored.history.incumbent
        return Subject(stored.history, best, _settings(stored.manifest), space)
    if _is_search(source):
        settings = _settings(source.manifest)
        # A function has a name, which says more than its class.
        settings["objective"] = settings["objective"] | {"class": name_of(source.objective)}
        return Subject(source.history, source.incumbent, settings, space or source.space)
    history = history_of(source)
    return Subject(history, history.incumbent, space=space)


def _is_search(source: object) -> TypeGuard[Searched]:
    # Looked up on the class, so that no property is computed.
    return hasattr(type(source), "manifest")


def _settings(manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {name: manifest[name] for name in PARTS if name in manifest}
