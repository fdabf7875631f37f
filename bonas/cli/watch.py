"""`python -m bonas watch DIRECTORY`: how a search goes, live."""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live

from bonas.cli.status import Look
from bonas.search.progress import table

INTERVAL = 1.0
"""Seconds between two looks; a look that takes long is followed by a longer pause."""


def watch(directory: Path, console: Console, interval: float = INTERVAL) -> None:
    """Shows a search until it ends, or until Ctrl-C.

    Args:
        directory: of the search, which is only read.
        console: where it is shown.
        interval: seconds between two looks.

    Raises:
        JournalError: there is no history, or it cannot be read.
    """
    with Live(console=console, auto_refresh=False) as live:
        while True:
            began = time.monotonic()
            look = Look.into(directory)
            live.update(_shown(look), refresh=True)
            if not look.running:
                return
            time.sleep(max(interval, 10 * (time.monotonic() - began)))


def _shown(look: Look) -> RenderableType:
    first, *others = look.lines()
    return Group(table(first, look.history, ""), *others)
