"""Many fast trials over several workers, one of which is killed every few seconds.

    python benchmarks/soak.py DIRECTORY [--trials 20000]

Verifies that nothing is lost or recorded twice, and measures the memory of the search process and
the time to load its history. It resumes from its directory.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import random
import signal
import threading
import time
from pathlib import Path

import psutil
from ConfigSpace import Configuration
from parallel_speed import Numbers

from bonas import History, Search
from bonas.runners import LocalProcesses
from bonas.search.progress import Silent
from bonas.strategies import RandomSearch
from fidelity import FullFidelity

EVERY = 3.0
"""Seconds between two killed workers, on average."""

GROWTH, LOADING = 50e6, 2.0
"""What the memory may grow by in the second half, in bytes, and the history take to load, in s."""


def quick(configuration: Configuration) -> float:
    """Take two milliseconds."""
    time.sleep(0.002)
    return float(configuration["number"])


class Killer(threading.Thread):
    """A thread that kills a random worker every few seconds."""

    def __init__(self, runner: LocalProcesses, seed: int = 0) -> None:
        super().__init__(daemon=True)
        self.kills = 0
        self.done = threading.Event()
        self._runner = runner
        self._rng = random.Random(seed)

    def run(self) -> None:
        """Kill workers until `done` is set."""
        while not self.done.wait(self._rng.uniform(0.5 * EVERY, 1.5 * EVERY)):
            if pids := self._runner.pids:
                with contextlib.suppress(ProcessLookupError):  # it was replaced just now
                    os.kill(self._rng.choice(pids), signal.SIGKILL)
                    self.kills += 1


def check(history: History, trials: int) -> None:
    """Verify that each trial is recorded once, with its own cost.

    Raises:
        AssertionError: something is lost or there twice.
    """
    numbers = sorted(evaluation.trial.number for evaluation in history.evaluations)
    assert numbers == list(range(trials)), "trials are lost or there twice"
    lost = [e for e in history.evaluations if not e.succeeded]
    assert all(e.status == "lost" for e in lost), "a failure that no kill explains"
    wrong = [
        e for e in history.evaluations if e.succeeded and e.cost != e.trial.configuration["number"]
    ]
    assert not wrong, "costs of other trials"


def main() -> None:
    """Run, verify and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--trials", type=int, default=20_000)
    options = parser.parse_args()
    logging.getLogger("bonas.runners").setLevel(logging.ERROR)
    half, own = options.trials // 2, psutil.Process()
    began = time.perf_counter()
    with (
        LocalProcesses(4, retries=3) as runner,
        Search(
            Numbers(),
            quick,
            strategy=RandomSearch(),
            schedule=FullFidelity(),
            directory=options.directory,
        ) as search,
    ):
        killer = Killer(runner)
        killer.start()
        search.run(evaluations=half, runner=runner, progress=Silent())
        middle = own.memory_info().rss
        history = search.run(evaluations=options.trials, runner=runner, progress=Silent())
        growth = own.memory_info().rss - middle
        killer.done.set()
    seconds = time.perf_counter() - began
    check(history, options.trials)
    began = time.perf_counter()
    loaded = History.load(options.directory)
    loading = time.perf_counter() - began
    check(loaded, options.trials)
    lost = sum(not e.succeeded for e in history.evaluations)
    print(f"{len(history)} evaluations in {seconds:.0f} s, {killer.kills} workers killed")
    print(f"nothing lost, nothing twice; {lost} trials given up after four kills")
    print(f"memory of the search in the second half: {growth / 1e6:+.1f} MB (target: under 50)")
    print(f"its history loads in {loading:.2f} s (target: under 2)")
    assert growth < GROWTH, "the memory grows"
    assert loading < LOADING, "the history takes too long to load"


if __name__ == "__main__":
    main()
