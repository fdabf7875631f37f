"""The clock of a search: seconds since it began, pauses between its runs left out."""

from __future__ import annotations

from bonas.runners.in_process import InProcess
from bonas.runners.runner import Runner


class Clock:
    """Adds up the time of all runs; each run counts on the clock of its runner.

    Args:
        elapsed: seconds that earlier processes have spent.
    """

    def __init__(self, elapsed: float = 0.0) -> None:
        self._offset = elapsed
        self._runner: Runner | None = None

    def use(self, runner: Runner) -> None:
        """Count on the clock of `runner` from here on."""
        elapsed = self._offset if self._runner is None else self.now()
        self._runner, self._offset = runner, elapsed - runner.now()

    def now(self) -> float:
        """Return the seconds so far; the first call starts the clock if no runner has."""
        if self._runner is None:
            self.use(InProcess())
        assert self._runner is not None
        return self.at(self._runner.now())

    def at(self, started: float) -> float:
        """Return the seconds of the search at a time on the runner's own clock."""
        return self._offset + started
