"""Searches into which a fault is brought, and what must hold after every fault."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ConfigSpace import Configuration

from bonas.runners.in_process import InProcess
from bonas.runners.runner import Runner
from bonas.search.search import Search
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.objective import resumes
from fidelity.schedules import FullFidelity
from tests.bonas.runners.fakes import Counting, Numbers, run
from tests.bonas.search.test_search import told

ROOT = Path(__file__).resolve().parents[2]
FAULTY = 1  # the number at which the fault comes


@dataclass(frozen=True)
class Mendable:
    """An objective whose code may change between two searches in a directory.

    A fault is brought in by one objective, and the search resumes with another one.
    """

    objective: Any = field(compare=False)

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self.objective)

    @property
    def resumes(self) -> bool:
        return resumes(self.objective)

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.objective(*arguments, **named)


def searching(directory: Path, objective: Any) -> Search:
    """A search over the numbers 0, 1, 2..., whose cost they are."""
    return Search(
        Numbers(),
        Mendable(objective),
        strategy=Counting(),
        schedule=FullFidelity(),
        directory=directory,
    )


def plain(configuration: Configuration) -> float:
    return float(configuration["number"])


def faulty(fault: Callable[[], Any]) -> Callable[[Configuration], Any]:
    """Returns the number, or for one of them what `fault` returns."""

    def objective(configuration: Configuration) -> Any:
        number = int(configuration["number"])
        return fault() if number == FAULTY else float(number)

    return objective


def survived(directory: Path, objective: Any, runner: Runner | None = None) -> Evaluation:
    """What came of the fault, after it was seen that nothing else is different for it."""
    with searching(directory, objective) as search:
        history = run(search, runner or InProcess(), evaluations=4)
    assert [e.trial.number for e in history.evaluations] == [0, 1, 2, 3]
    others = [e for e in history.evaluations if e.trial.number != FAULTY]
    assert [e.cost for e in others] == [0.0, 2.0, 3.0]
    assert told(History.load(directory)) == told(history)
    return history.evaluations[FAULTY]


def goes_on(directory: Path, before: int, objective: Any = plain) -> None:
    """The first evaluations are still there, and a search in the same directory goes on."""
    kept = told(History.load(directory))
    assert len(kept) == before
    with searching(directory, objective) as search:
        history = run(search, InProcess(), evaluations=before + 2)
    assert told(history)[:before] == kept
    assert sorted(e.trial.number for e in history.evaluations) == list(range(before + 2))


def script(code: str, *arguments: object, **settings: Any) -> subprocess.Popen[str]:
    """Starts Python on code that may import this repository."""
    start = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
    command = [sys.executable, "-c", start + code, *map(str, arguments)]
    return subprocess.Popen(command, text=True, cwd=ROOT, **settings, encoding="utf-8")
