"""Runs a short search with each strategy and prints their histories; for `test_same_seed.py`.

    python -m tests.every_strategy CLOCK

The clock of this process is drawn at random from the seed CLOCK, so what is measured in seconds
differs between processes as it would between fast and slow machines.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping

import numpy as np

from bonas import Search
from bonas.search.progress import Silent
from bonas.strategies import SMAC, FreezeThaw
from bonas.strategies.freeze_thaw import FreezeThawSearch
from bonas.strategies.strategy import Strategy
from fidelity import Hyperband
from tests.test_pairs import STRATEGIES, TABLE

EVALUATIONS = 18
ALL: Mapping[str, Callable[[], Strategy]] = {
    **STRATEGIES,
    "SMAC": lambda: SMAC(initial=6, challengers=20),
    "FreezeThaw": lambda: FreezeThaw(9, 27, initial=4, first=1).start(TABLE.space),
}


def clock(seed: int) -> Callable[[], float]:
    """A clock whose every look is between a microsecond and a hundred seconds after the last."""
    rng, now = np.random.default_rng(seed), 0.0

    def look() -> float:
        nonlocal now
        now += 10 ** rng.uniform(-6, 2)
        return now

    return look


def history(strategy: Strategy) -> list[object]:
    """Everything of each evaluation that the seed determines."""
    schedule = strategy if isinstance(strategy, FreezeThawSearch) else Hyperband(9, 27)
    with Search(TABLE.space, TABLE, strategy=strategy, schedule=schedule, seed=3) as search:
        found = search.run(evaluations=EVALUATIONS, progress=Silent())
        best = search.incumbent
    assert best is not None
    return [
        *(
            [e.trial.number, e.trial.key, e.trial.budget, e.trial.seed, e.trial.parent, e.cost]
            for e in found.evaluations
        ),
        best.trial.number,
    ]


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of other packages; the tests of each strategy look at them
    time.monotonic = time.perf_counter = time.time = clock(int(sys.argv[1]))
    print(json.dumps({name: history(make()) for name, make in ALL.items()}))
