"""One run of a comparison: a search with a setup and a seed, in a directory of its own."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bonas.comparison.setup import Setup
from bonas.runners.runner import Runner
from bonas.runners.simulated import Simulated
from bonas.search.manifest import check_manifest
from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.search.stop import Stop
from fidelity.disk import remedy, write_whole
from fidelity.history import journal
from fidelity.history.caps import shortened
from fidelity.history.history import History
from fidelity.history.records import evaluation_record, trial_record
from fidelity.objective import Objective
from spaces.space import Space

FINISHED = "finished.json"
"""A file with the limits of the run that has ended."""

ERROR = "error.txt"
"""A file with the traceback of the run that failed."""


class ComparisonError(ValueError):
    """A comparison that cannot be: its message says what is wrong and how to mend it."""


@dataclass(frozen=True)
class Conditions:
    """What all runs of a comparison have in common.

    Attributes:
        space: the architectures.
        objective: what is minimised.
        limits: at which a run ends.
        runner: makes the runner of each run.
    """

    space: Space
    objective: Objective
    limits: Stop
    runner: Callable[[], Runner]


@dataclass(frozen=True)
class OneRun:
    """A search to be made.

    Attributes:
        conditions: that all runs have in common.
        setup: strategy and schedule.
        seed: of the search.
        directory: of its own.
    """

    conditions: Conditions
    setup: Setup
    seed: int
    directory: Path

    @property
    def finished(self) -> bool:
        """Whether it has ended, at the same limits."""
        file = self.directory / FINISHED
        return file.exists() and json.loads(file.read_text(encoding="utf-8")) == asdict(
            self.conditions.limits
        )

    @property
    def error(self) -> str | None:
        """The traceback if it failed."""
        file = self.directory / ERROR
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else None

    def carry_out(self) -> None:
        """Runs the search to its end; what makes it fail is written down."""
        (self.directory / ERROR).unlink(missing_ok=True)
        (self.directory / FINISHED).unlink(missing_ok=True)
        failure: str | None = None
        try:
            runner = self.conditions.runner()
            if isinstance(runner, Simulated):
                self._simulate(runner)
            else:
                with self._search(self.directory) as search:
                    self._go(search, runner)
        except Exception:  # of a strategy, an objective: the other runs go on
            failure = shortened(traceback.format_exc())
        if failure is None:
            self.write(FINISHED, json.dumps(asdict(self.conditions.limits)))
        else:
            self.write(ERROR, failure)

    def _simulate(self, runner: Simulated) -> None:
        """Everything anew and in memory: a clock that is resumed would tell other times.

        Nor is every evaluation brought to the disk, which would take longer than to look it up.
        """
        with self._search(None) as search:
            try:
                self._go(search, runner)
            finally:
                self._keep(search.history)

    def _keep(self, history: History) -> None:
        (self.directory / journal.NAME).unlink(missing_ok=True)
        self._search(self.directory).close()  # which writes the header
        with journal.Journal(self.directory) as kept:
            for trial in history.trials:
                kept.append(trial_record(trial), durable=False)
            for evaluation in history.evaluations:
                kept.append(evaluation_record(evaluation), durable=False)

    def _search(self, directory: Path | None) -> Search:
        return Search(
            self.conditions.space,
            self.conditions.objective,
            strategy=self.setup.strategy,
            schedule=self.setup.schedule,
            directory=directory,
            seed=self.seed,
        )

    def _go(self, search: Search, runner: Runner) -> None:
        limits = self.conditions.limits
        search.run(
            evaluations=limits.evaluations,
            seconds=limits.seconds,
            epochs=limits.epochs,
            runner=runner,
            progress=Silent(),
        )

    def write(self, name: str, text: str) -> None:
        """Write a file of the directory whole or not at all.

        Raises:
            ComparisonError: the disk refuses it.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            # Half a character, as in the text of a foreign error, is written as an escape.
            write_whole(self.directory / name, text.encode(errors="backslashreplace"))
        except OSError as error:
            raise ComparisonError(
                f"{self.directory / name} cannot be written ({error.strerror or error}): "
                f"{remedy(error)} and compare again to go on from there"
            ) from error

    def check(self) -> None:
        """Refuses a directory in which there is another search.

        Raises:
            JournalError: space, objective, schedule or seed differ.
            ComparisonError: the strategy does.
        """
        path = self.directory / journal.NAME
        if not path.exists() or journal.is_blank(path):
            return
        found, records, _ = journal.read(path)
        mine = self._header()
        before = found.get("strategy")
        if check_manifest(found, records, mine, self.directory) and before != mine["strategy"]:
            raise ComparisonError(
                f"{self.directory} holds a run of the strategy {before}, which is now "
                f"{mine['strategy']}: give the setup another name, or choose another directory"
            )

    def _header(self) -> dict[str, Any]:
        with self._search(None) as search:
            return search.manifest

    def history(self) -> History:
        """What is in the directory."""
        path = self.directory / journal.NAME
        _, records, _ = journal.read(path)
        with self._search(None) as search:
            history = search.history
        history.replay(records, path)
        return history
