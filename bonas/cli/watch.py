"""`bonas watch DIRECTORY`: the progress of a search, live."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live

from bonas.cli.status import status
from bonas.search.directory import SearchDirectory
from bonas.search.progress import table

INTERVAL_SECONDS = 1.0
"""The pause between two reads; it grows with the duration of a read."""


def watch(directory: Path, console: Console, interval: float = INTERVAL_SECONDS) -> None:
    """Show a search until it ends, or until Ctrl-C.

    Args:
        directory: of the search, which is only read.
        console: to write to.
        interval: seconds between two reads.

    Raises:
        JournalError: there is no history, or it cannot be read.
    """
    with Live(console=console, auto_refresh=False) as live:
        while True:
            began = time.monotonic()
            search = SearchDirectory.read(directory)
            live.update(_page(search), refresh=True)
            if not search.running:
                return
            time.sleep(max(interval, 10 * (time.monotonic() - began)))


def _page(search: SearchDirectory) -> RenderableType:
    title, *lines = status(search)
    return Group(table(title, search.history, ""), *lines)
