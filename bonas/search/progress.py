"""Live progress: a table in terminals and notebooks, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from bonas.search.stop import Stop
from bonas.terminal import console
from fidelity.history.history import History
from spaces.display import html

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.table import Table

ROWS = 8


class Silent:
    """A display that shows nothing, and the interface of others."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        pass

    def update(self, history: History, stop: Stop) -> None:
        """Show where the search stands.

        Args:
            history: of the search.
            stop: the totals of the run.
        """


class Notebook:
    """One output of a notebook cell, which is redrawn in place.

    (That of rich needs ipywidgets, and a saved notebook loses it.)
    """

    def __init__(self) -> None:
        self._output: Any = None  # IPython's handle

    def update(self, shown: Table) -> None:
        """Draw `shown` in place of the last table."""
        from IPython.display import HTML, display

        page = HTML(_page(shown))
        if self._output is None:
            self._output = display(page, display_id=True)
        else:
            self._output.update(page)

    def stop(self) -> None:
        """Leave the last table in the notebook."""


class Progress(Silent):
    """A live table of the last evaluations and the incumbent, or plain lines.

    Args:
        title: of the table.
        interval: seconds between two plain lines where there is no terminal.
        console: is written to; by default standard output.
    """

    def __init__(
        self, title: str = "search", interval: float = 5.0, console: Console | None = None
    ) -> None:
        self.title = title
        self.interval = interval
        self._console = console
        self._live: Live | Notebook | None = None
        self._last = -interval
        self._shown = -1
        self._latest: tuple[History, Stop] | None = None

    def __enter__(self) -> Self:
        from rich.live import Live

        self._console = self._console or console()
        if self._console.is_jupyter:
            self._live = Notebook()
        elif self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._latest is not None:
            self._show(*self._latest)
        if self._live is not None:
            self._live.stop()

    def update(self, history: History, stop: Stop) -> None:
        """Show where the search stands, if it is time.

        Args:
            history: of the search.
            stop: the totals of the run.
        """
        self._latest = history, stop
        interval = 0.25 if self._live is not None else self.interval
        if time.monotonic() - self._last >= interval:
            self._last = time.monotonic()
            self._show(history, stop)

    def _show(self, history: History, stop: Stop) -> None:
        if self._live is not None:
            self._live.update(table(self.title, history, _summary(history, stop)))
        elif _steps(history) != self._shown and self._console is not None:
            self._console.print(f"{self.title}: {_summary(history, stop)}", soft_wrap=True)
        self._shown = _steps(history)


def _page(shown: Table) -> html.Html:
    """Return a table of rich as HTML, in the notebook's own style."""
    titles = [str(column.header) for column in shown.columns]
    cells = zip(*(column.cells for column in shown.columns), strict=True)
    lines = [[str(cell) for cell in line] for line in cells]
    caption = html.element("p", f"{shown.title}: {shown.caption}")
    return html.element("div", html.table(titles, lines), caption)


def _steps(history: History) -> int:
    """Return the number of evaluations, refused proposals and dozens of scored networks."""
    return len(history) + len(history.refused) + len(history.scores) // 12


def _summary(history: History, stop: Stop) -> str:
    evaluations = f"{len(history)} evaluations" + _of(stop.evaluations)
    if history.refused:
        evaluations += f", {len(history.refused)} networks refused"
    if history.scores.summary:
        evaluations += f", {history.scores.summary}"
    spent = f"{history.resource:g} epochs" + _of(stop.epochs)
    best = history.incumbent
    if best is None:
        return f"{evaluations}, {spent}, {history.best_text}"
    source = f"(trial {best.trial.number}, budget {best.trial.budget:g})"
    return f"{evaluations}, {spent}, {history.best_text} {source}"


def _of(limit: float | None) -> str:
    return "" if limit is None else f" of {limit:g}"


def table(title: str, history: History, caption: str) -> Table:
    """Return a table of the last evaluations.

    Args:
        title: above the table.
        history: of the search.
        caption: below the table.
    """
    from rich.table import Table

    made = Table(title=title, caption=caption)
    measure = history.goal.measure.name
    for column in ("trial", "continues", "budget", measure, "seconds", "status"):
        made.add_column(column, justify="left" if column == "status" else "right")
    for evaluation in history.evaluations[-ROWS:]:
        trial = evaluation.trial
        made.add_row(
            str(trial.number),
            "" if trial.parent is None else str(trial.parent),
            f"{trial.budget:g}",
            history.cost_text(evaluation) if evaluation.succeeded else "-",
            f"{evaluation.seconds:.2f}",
            evaluation.status
            if evaluation.reused is None
            else f"{evaluation.status}, known from trial {evaluation.reused}",
        )
    return made
