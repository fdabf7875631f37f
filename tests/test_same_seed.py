"""The same seed gives the same history, whatever PYTHONHASHSEED and the wall clock are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.every_strategy import ALL, EVALUATIONS

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def histories() -> list[dict[str, list[object]]]:
    """Of each strategy, from two processes that differ in the order of sets and in their clocks."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.every_strategy", seed],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        for seed in ("1", "2")
    ]
    answers = [run.communicate()[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    return [json.loads(answer) for answer in answers]


@pytest.mark.parametrize("strategy", ALL)
def test_the_history_follows_from_the_seed(
    strategy: str, histories: list[dict[str, list[object]]]
) -> None:
    one, other = (found[strategy] for found in histories)
    assert len(one) == EVALUATIONS + 1
    assert one == other
