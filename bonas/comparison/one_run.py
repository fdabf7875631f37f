"""One run of a comparison: a search with a setup and a seed, in a directory of its own."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from bonas.comparison.setup import ComparisonError, Setup
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
"""The file with the limits of a run that has ended."""

ERROR = "error.txt"
"""The file with the traceback of a run that failed."""

Fraction = Callable[[float], object]
"""Receives the finished fraction of a run, in [0, 1]."""


@dataclass(frozen=True)
class Conditions:
    """The conditions that all runs of a comparison share.

    Attributes:
        space: the architectures.
        objective: to minimise.
        limits: at which a run ends.
        runner: makes the runner of each run.
    """

    space: Space
    objective: Objective
    limits: Stop
    runner: Callable[[], Runner]


class _Fractions(Silent):
    """Reports the finished fraction of a run."""

    def __init__(self, report: Fraction) -> None:
        self._report = report

    def update(self, history: History, limits: Stop) -> None:
        """Report the fraction of the limit that is closest."""
        seconds = history.evaluations[-1].started if len(history) else 0.0
        spent = (len(history), seconds, history.resource)
        given = (limits.evaluations, limits.seconds, limits.epochs)
        fractions = [x / limit for x, limit in zip(spent, given, strict=True) if limit is not None]
        self._report(min(1.0, max(fractions)))


@dataclass(frozen=True)
class OneRun:
    """One run of a comparison.

    Attributes:
        conditions: that all runs share.
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
        """True if it has ended at the same limits."""
        file = self.directory / FINISHED
        return file.exists() and json.loads(file.read_text(encoding="utf-8")) == asdict(
            self.conditions.limits
        )

    @property
    def error(self) -> str | None:
        """The traceback if it failed."""
        file = self.directory / ERROR
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else None

    def carry_out(self, report: Fraction) -> None:
        """Run the search to its end, and write down what makes it fail.

        Args:
            report: receives the finished fraction.
        """
        (self.directory / ERROR).unlink(missing_ok=True)
        (self.directory / FINISHED).unlink(missing_ok=True)
        failure: str | None = None
        try:
            runner = self.conditions.runner()
            if isinstance(runner, Simulated):
                self._simulate(runner, report)
            else:
                with self._search(self.directory) as search:
                    self._run(search, runner, report)
        except Exception:  # of a strategy or an objective: the other runs continue
            failure = shortened(traceback.format_exc())
        if failure is None:
            # Another comparison in the same folder may have failed on this run, which was in use.
            (self.directory / ERROR).unlink(missing_ok=True)
            self.write(FINISHED, json.dumps(asdict(self.conditions.limits)))
        else:
            self.write(ERROR, failure)

    def _simulate(self, runner: Simulated, report: Fraction) -> None:
        """Run from the start and in memory: a simulated clock cannot resume.

        Bringing every evaluation to the disk would also take longer than its lookup.
        """
        with self._search(None) as search:
            try:
                self._run(search, runner, report)
            finally:
                self._store(search)

    def _store(self, search: Search) -> None:
        (self.directory / journal.NAME).unlink(missing_ok=True)
        with journal.Journal(self.directory) as stored:
            stored.append(search.manifest, durable=False)
            for trial in search.history.trials:
                stored.append(trial_record(trial), durable=False)
            for evaluation in search.history.evaluations:
                stored.append(evaluation_record(evaluation), durable=False)

    def _search(self, directory: Path | None) -> Search:
        return Search(
            self.conditions.space,
            self.conditions.objective,
            strategy=self.setup.strategy,
            schedule=self.setup.schedule,
            directory=directory,
            seed=self.seed,
        )

    def _run(self, search: Search, runner: Runner, report: Fraction) -> None:
        limits = self.conditions.limits
        search.run(
            evaluations=limits.evaluations,
            seconds=limits.seconds,
            epochs=limits.epochs,
            runner=runner,
            progress=_Fractions(report),
        )

    def write(self, name: str, text: str) -> None:
        """Write a file of the directory completely or not at all.

        Args:
            name: of the file.
            text: of the file.

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
                f"{remedy(error)} and compare again to resume"
            ) from error

    def check(self) -> None:
        """Refuse a directory that holds another search.

        Raises:
            JournalError: space, objective, schedule or seed differ.
            ComparisonError: the strategy differs.
        """
        path = self.directory / journal.NAME
        if not path.exists() or journal.is_blank(path):
            return
        recorded, records, _ = journal.read(path)
        with self._search(None) as search:
            current = search.manifest
        before = recorded.get("strategy")
        same = check_manifest(recorded, records, current, self.directory)
        if same and before != current["strategy"]:
            raise ComparisonError(
                f"{self.directory} holds a run of the strategy {before}, which is now "
                f"{current['strategy']}: give the setup another name, or choose another directory"
            )

    def history(self) -> History:
        """Return the history in the directory."""
        return History.load(self.directory)
