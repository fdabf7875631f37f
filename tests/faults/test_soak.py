"""A small version of `benchmarks/soak.py`."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest
from ConfigSpace import Configuration

from bonas.runners.local_processes import LocalProcesses
from fidelity.history.history import History
from tests.bonas.runners.fakes import run
from tests.bonas.search.test_search import told
from tests.faults.searches import searching

TRIALS, KILLS = 400, 4


def quick(configuration: Configuration) -> float:
    time.sleep(0.01)
    return float(configuration["number"])


@pytest.mark.slow
def test_many_trials_survive_killed_workers(tmp_path: Path) -> None:
    done, rng, killed = threading.Event(), random.Random(0), []

    def killing(runner: LocalProcesses) -> None:
        while len(killed) < KILLS and not done.wait(0.5):
            if (tmp_path / "history.jsonl").exists() and (pids := runner.pids):
                pid = rng.choice(pids)
                with contextlib.suppress(ProcessLookupError):  # it was replaced just now
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)

    with LocalProcesses(3, retries=KILLS) as runner, searching(tmp_path, quick) as made:
        thread = threading.Thread(target=killing, args=(runner,))
        thread.start()
        history = run(made, runner, evaluations=TRIALS)
        done.set()
        thread.join()
    assert killed
    assert sorted(e.trial.number for e in history.evaluations) == list(range(TRIALS))
    assert all(e.cost == e.trial.number for e in history.evaluations)
    assert told(History.load(tmp_path)) == told(history)
