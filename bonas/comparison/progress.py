"""Progress of a comparison, with an estimate of the remaining time."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any, Protocol, Self, TextIO, runtime_checkable

from bonas.terminal import console

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

NOTEBOOK_SECONDS = 0.5
"""The interval between two updates of the output in a notebook."""


@runtime_checkable
class ComparisonProgress(Protocol):
    """A display of the progress of a comparison; `with` opens and closes it."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exception: object) -> None: ...

    def update(self, finished: int, done: float, total: int) -> None:
        """Show the progress; called about twice a second.

        Args:
            finished: the number of runs that have ended.
            done: the same, plus the finished fraction of each run that has not.
            total: the number of runs.
        """
        ...


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def update(self, finished: int, done: float, total: int) -> None:
        """See `ComparisonProgress.update`."""


class Display(Silent):
    """A live bar in a terminal, one output in a notebook, plain lines on standard error elsewhere.

    The remaining time is that of the comparison so far, in proportion to what is left.

    Args:
        interval: seconds between two plain lines.
        file: to write to; by default standard error.
    """

    def __init__(self, interval: float = 10.0, file: TextIO | None = None) -> None:
        self._interval = interval
        self._file = file
        self._bar: Progress | None = None
        self._output: Any = None  # IPython's handle of the output in a notebook
        self._task: TaskID | None = None
        self._began = time.monotonic()
        self._already: float | None = None  # done before this comparison
        self._printed = -interval

    def __enter__(self) -> Self:
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._file = self._file or sys.stderr
        self._began = time.monotonic()
        shown = console(self._file)
        if shown.is_jupyter:
            from IPython.display import HTML, display

            self._interval = NOTEBOOK_SECONDS
            self._output = display(HTML(""), display_id=True)
        elif shown.is_terminal:
            columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
            self._bar = Progress(*columns, console=shown, transient=True)
            self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, finished: int, done: float, total: int) -> None:
        """See `ComparisonProgress.update`."""
        elapsed = time.monotonic() - self._began
        if self._already is None:
            self._already = done
        text = f"{finished} of {total} runs"
        if done > self._already and done < total:
            left = elapsed / (done - self._already) * (total - done)
            text += f", about {duration(left)} left"
        if self._bar is not None:
            if self._task is None:
                self._task = self._bar.add_task(text, total=total)
            self._bar.update(self._task, completed=done, description=text)
        elif elapsed - self._printed >= self._interval or finished == total:
            self._printed = elapsed
            self._print(f"compare: {text}, {duration(elapsed)} elapsed")

    def _print(self, line: str) -> None:
        if self._output is None:
            print(line, file=self._file, flush=True)
            return
        from IPython.display import HTML

        self._output.update(HTML(f"<p>{line}</p>"))


def duration(seconds: float) -> str:
    """Return seconds as hours, minutes and seconds."""
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"


def display(progress: bool | ComparisonProgress) -> ComparisonProgress:
    """Return the display that an argument `progress` stands for.

    Raises:
        TypeError: it is neither a bool nor a display.
    """
    if isinstance(progress, bool):
        return Display() if progress else Silent()
    if isinstance(progress, type) or not isinstance(progress, ComparisonProgress):
        raise TypeError(
            f"progress is {progress!r}: True, False or an object with `update(finished, done, "
            "total)` is expected, which `with` opens and closes"
        )
    return progress
