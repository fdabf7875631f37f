"""Searches that are really killed, and go on as if nothing had happened."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fidelity.history.history import History
from tests.bonas.search.test_search import told

SCRIPT = """
import sys
import torch
from bonas import Search
from bonas.search.progress import Silent
from bonas.strategies import {strategy}
from fidelity import Hyperband, Training
from fidelity.datasets import digits
from spaces import CellSpace

torch.set_num_threads(1)
space = CellSpace(channels=2, cells=1, stages=2)
training = Training(space, digits(), max_epochs=9)
with Search(space, training, strategy={strategy}(), schedule=Hyperband(1, 9),
            directory=sys.argv[1], seed=3) as search:
    search.run(evaluations={evaluations}, progress=Silent())
"""


def start(script: str, directory: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.Popen([sys.executable, "-c", script, str(directory)], env=environment)


def lines(directory: Path) -> int:
    path = directory / "history.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


@pytest.mark.parametrize(
    ("strategy", "evaluations", "kills"),
    [("RandomSearch", 22, (2, 13, 27)), ("BayesianOptimization", 16, (21,))],
)
def test_a_killed_search_ends_with_the_same_history(
    tmp_path: Path, strategy: str, evaluations: int, kills: tuple[int, ...]
) -> None:
    script = SCRIPT.format(strategy=strategy, evaluations=evaluations)
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert start(script, whole).wait(timeout=200) == 0

    for kill in kills:
        process = start(script, broken)
        while lines(broken) < kill and process.poll() is None:
            time.sleep(0.002)
        time.sleep(0.05)  # into the training of a trial
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=60) == -signal.SIGKILL
        assert len(History.load(broken)) < evaluations
    assert start(script, broken).wait(timeout=200) == 0

    assert told(History.load(broken)) == told(History.load(whole))
    assert len(History.load(broken)) == evaluations
