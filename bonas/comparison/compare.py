"""Fair comparisons: every setup with the same seeds, noise, clock and limits."""

from __future__ import annotations

import math
import operator
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bonas.analysis.trajectory import Clock
from bonas.comparison.comparison import Comparison
from bonas.comparison.one_run import Conditions, OneRun
from bonas.comparison.processes import carry_out
from bonas.comparison.progress import ComparisonProgress, display
from bonas.comparison.setup import ComparisonError, Setup
from bonas.runners.in_process import InProcess
from bonas.runners.runner import Runner
from bonas.runners.simulated import Simulated
from bonas.search.stop import Stop
from fidelity.objective import Objective
from spaces.space import Space


def compare(
    setups: Mapping[str, Setup],
    objective: Objective,
    *,
    seeds: Iterable[int] = range(10),
    evaluations: int | None = None,
    seconds: float | None = None,
    epochs: float | None = None,
    space: Space | None = None,
    runner: Callable[[], Runner] | None = None,
    directory: str | Path | None = None,
    jobs: int = 1,
    progress: bool | ComparisonProgress = True,
) -> Comparison:
    """Run every setup with every seed.

    With the same seed a network has the same cost in every run, so runs compare pair by pair. A run
    that fails is recorded with its traceback, and the others continue.

    Args:
        setups: strategies and schedules by name; the first is the baseline.
        objective: a table of `fidelity.tables`, or any other objective of a search.
        seeds: of the searches; each gives one run per setup.
        evaluations: as for `Search.run`, for each run.
        seconds: the same, on the clock of its runner.
        epochs: the same.
        space: of the architectures; by default the objective's own.
        runner: makes a runner for each run, as in `lambda: Simulated(8)`. By default a table runs
            on one simulated worker, and anything else in the process of its run.
        directory: stores the history of each run in `directory/name/seed`; the same call resumes.
            An interrupted run on a simulated clock starts from scratch, with the same result.
        jobs: the number of processes, with one thread each; the results do not depend on it. Above
            1 a script calls this under `if __name__ == "__main__":`.
        progress: True shows progress and remaining time on standard error; False shows nothing; an
            object is a `ComparisonProgress`.

    Returns:
        The comparison: its frame, table, tests and plots.

    Raises:
        ComparisonError: there is nothing to compare, or the directory holds something else.
        JournalError: the directory holds other runs than these, or cannot be used.
        TypeError: `progress` is neither a bool nor a display.
        ValueError: no limit is given, or one is not positive.
    """
    limits = Stop(evaluations=evaluations, seconds=seconds, epochs=epochs)
    shown = display(progress)
    numbers = [operator.index(seed) for seed in seeds]
    _check(setups, numbers, jobs)
    space = _space(objective) if space is None else space
    runner = runner or (Simulated if _is_table(objective) else InProcess)
    conditions = Conditions(space, objective, limits, runner)
    with _folder(directory) as folder:
        runs = {
            name: {s: OneRun(conditions, setup, s, folder / _plain(name) / str(s)) for s in numbers}
            for name, setup in setups.items()
        }
        _carry_out_all([runs[name][s] for s in numbers for name in runs], jobs, shown)
        return _comparison(conditions, runs)


def _comparison(conditions: Conditions, runs: Mapping[str, Mapping[int, OneRun]]) -> Comparison:
    """Return the comparison of runs by name and seed."""
    return Comparison(
        {n: {s: r.history() for s, r in of.items() if not r.error} for n, of in runs.items()},
        {(n, s): r.error for n, of in runs.items() for s, r in of.items() if r.error},
        _clock(conditions.limits),
        getattr(conditions.objective, "regret", None),
    )


def _carry_out_all(runs: Sequence[OneRun], jobs: int, shown: ComparisonProgress) -> None:
    for run in runs:
        run.check()
    left = [run for run in runs if not run.finished]
    before = len(runs) - len(left)

    def report(fractions: Sequence[float]) -> None:
        ended = sum(fraction == 1.0 for fraction in fractions)
        shown.update(before + ended, before + math.fsum(fractions), len(runs))

    with shown:
        report([])
        carry_out(left, jobs, report)


def _check(setups: Mapping[str, Setup], seeds: Sequence[int], jobs: int) -> None:
    if not setups or not seeds:
        raise ComparisonError("there is nothing to compare: give one setup and one seed or more")
    if len(set(seeds)) < len(seeds):
        raise ComparisonError(f"each seed gives one run, but some are given twice: {seeds}")
    if jobs < 1:
        raise ComparisonError(f"jobs is the number of processes, 1 or more, not {jobs}")
    for name, setup in setups.items():
        if not isinstance(setup, Setup):
            raise ComparisonError(
                f"'{name}' is {setup!r}, not a Setup: write Setup(strategy, schedule)"
            )
    if len({_plain(name) for name in setups}) < len(setups):
        raise ComparisonError(
            f"two of the names give the same folder: {', '.join(setups)}; let them differ in "
            "letters or digits"
        )


def _plain(name: str) -> str:
    """Return a folder name that the file system can encode."""
    encoding = sys.getfilesystemencoding()
    name = name.encode(encoding, "backslashreplace").decode(encoding)
    return re.sub(r"[^\w.+-]+", "_", name).strip("._") or "_"


def _space(objective: Objective) -> Space:
    space: Space | None = getattr(objective, "space", None)
    if space is None or not hasattr(space, "configuration_space"):
        raise ComparisonError("the objective has no space of its own: give it as space=...")
    return space


def _is_table(objective: Objective) -> bool:
    """Return whether an objective has the members of `fidelity.tables`."""
    return all(hasattr(objective, name) for name in ("space", "budgets", "optimum", "regret"))


def _clock(limits: Stop) -> Clock:
    if limits.evaluations is not None:
        return "evaluations"
    return "epochs" if limits.epochs is not None else "seconds"


@contextmanager
def _folder(directory: str | Path | None) -> Iterator[Path]:
    if directory is not None:
        yield Path(directory)
        return
    with tempfile.TemporaryDirectory(prefix="bonas-") as folder:
        yield Path(folder)
