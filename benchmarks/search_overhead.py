"""The overhead of a search per evaluation, and of `import bonas` over `import torch`.

    python benchmarks/search_overhead.py

A step of `Search.run` is a proposal of RandomSearch, a decision of the schedule, an objective
that returns at once, and a record on the disk that is safe when the step ends (fsync). The
network's evaluations are all new: each cell of a space far larger than the history is trained
once. Steps are timed when the history has grown to `--trials`, and after each of them a bare append
of the same number of bytes with fsync in the same directory.

Results go to results/search_overhead.md.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from unittest.mock import patch

import numpy as np
from ConfigSpace import Configuration

from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.search.stop import Stop
from bonas.strategies.random_search import RandomSearch
from fidelity.history.history import History
from fidelity.history.journal import NAME
from fidelity.schedules import FullFidelity, Hyperband
from fidelity.schedules.schedule import Schedule
from spaces.cells.cell import CellSpace

ROOT = Path(__file__).resolve().parent.parent
SCHEDULES: dict[str, Schedule] = {
    "FullFidelity": FullFidelity(9),
    "Hyperband": Hyperband(1, 9),
}
TARGET = 2.0  # ms


@dataclass
class Clock(Silent):
    """Time each step and a bare append and fsync after it; a search calls it once per step.

    Attributes:
        path: the file of the bare appends.
        size: their bytes.
        steps: milliseconds of each step, on the wall.
        cpu: milliseconds of processor time of each step.
        bare: milliseconds of each bare append and fsync.
    """

    path: Path
    size: int
    steps: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    begun: tuple[float, float] | None = None

    def update(self, history: History, limits: Stop) -> None:
        """End the timing of one step and begin the next."""
        ended, cpu = time.perf_counter(), time.process_time()
        if self.begun is not None:
            self.steps.append((ended - self.begun[0]) * 1000)
            self.cpu.append((cpu - self.begun[1]) * 1000)
        with self.path.open("ab", buffering=0) as file:
            start = time.perf_counter()
            file.write(b"x" * self.size)
            os.fsync(file.fileno())
            self.bare.append((time.perf_counter() - start) * 1000)
        self.begun = time.perf_counter(), time.process_time()


def objective(configuration: Configuration, budget: float) -> float:
    """Return a cost at once."""
    return len(str(configuration["edge_0_1"])) / budget


def measure(schedule: Schedule, trials: int, measured: int) -> Clock:
    """Time `measured` steps after `trials` evaluations."""
    space = CellSpace(nodes=5)  # 5**10 cells
    with (
        tempfile.TemporaryDirectory(dir=ROOT, prefix=".overhead-") as directory,
        Search(
            space, objective, strategy=RandomSearch(), schedule=schedule, directory=directory
        ) as search,
    ):
        with patch("os.fsync"):  # only while the history grows
            search.run(evaluations=trials, progress=Silent())
        size = (Path(directory) / NAME).stat().st_size // trials
        clock = Clock(Path(directory) / "bare", size)
        search.run(evaluations=trials + measured, progress=clock)
        return clock


def imports(repetitions: int) -> dict[str, list[float]]:
    """Time fresh interpreters that import one thing, interleaved, in seconds."""
    lines = ("pass", "import torch", "import bonas", "from bonas import Search")
    taken: dict[str, list[float]] = {line: [] for line in lines}
    for _ in range(repetitions):
        for line in lines:
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", line], check=True, cwd=ROOT)
            taken[line].append(time.perf_counter() - start)
    return taken


def report(trials: int, measured: int, repetitions: int) -> str:
    """Format the results as Markdown."""
    packages = ("torch", "ConfigSpace", "numpy")
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    lines = [
        "# Overhead of a search",
        "",
        f"Measured on {datetime.date.today()} by `python benchmarks/search_overhead.py`: Python "
        f"{platform.python_version()}, {versions}; {len(os.sched_getaffinity(0))} core(s) of a "
        f"shared {platform.machine()} {platform.system()} machine.",
        "",
        f"Milliseconds per step of `Search.run` with RandomSearch at {trials:,} trials in the "
        f"history, fsync included, over {measured} steps. A bare append of as many bytes with "
        f"fsync follows each step; the last column is the processor time of the step, which other "
        f"programs on the machine change less. Goal: a median step below {TARGET:g} ms.",
        "",
        "| schedule | step: median | 95% | bare: median | 95% | processor time: median |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, schedule in SCHEDULES.items():
        clock = measure(schedule, trials, measured)
        numbers = [*np.quantile(clock.steps, [0.5, 0.95]), *np.quantile(clock.bare, [0.5, 0.95])]
        numbers.append(np.median(clock.cpu))
        lines.append(f"| {name} | " + " | ".join(f"{number:.3f}" for number in numbers) + " |")
        print(lines[-1], flush=True)
    seconds = imports(repetitions)
    torch = statistics.median(seconds["import torch"])
    lines += [
        "",
        f"Seconds of a fresh interpreter, median of {repetitions}, interleaved.",
        "",
        "| statement | seconds | of `import torch` |",
        "| --- | ---: | ---: |",
    ]
    for line, taken in seconds.items():
        middle = statistics.median(taken)
        lines.append(f"| `{line}` | {middle:.3f} | {middle / torch:.2f} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--measured", type=int, default=500)
    parser.add_argument("--repetitions", type=int, default=7)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    text = report(options.trials, options.measured, options.repetitions)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "search_overhead.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
