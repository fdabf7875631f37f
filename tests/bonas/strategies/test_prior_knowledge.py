from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bonas import (
    BayesianOptimization,
    FreezeThaw,
    MultiFidelityBayesianOptimization,
    RandomSearch,
    Search,
    SuccessiveHalving,
)
from bonas.knowledge import EarlierError
from bonas.strategies import MultiObjectiveBayesianOptimization
from bonas.strategies.strategy import Strategy
from fidelity.history.history import History
from fidelity.schedules.schedule import Schedule
from tests.bonas.knowledge.toys import SPACE, Countable, failed, searched

EARLIER = [searched(count=60)]

CASES: dict[str, tuple[Strategy, Schedule | None]] = {
    "BayesianOptimization": (BayesianOptimization(earlier=EARLIER), None),
    "MultiFidelityBayesianOptimization": (
        MultiFidelityBayesianOptimization(earlier=EARLIER),
        SuccessiveHalving(1, 3),
    ),
    "MultiObjectiveBayesianOptimization": (
        MultiObjectiveBayesianOptimization(earlier=EARLIER),
        None,
    ),
    "FreezeThaw": (FreezeThaw(1, 3, earlier=EARLIER), None),
}


def run(strategy: Strategy, schedule: Schedule | None, seed: int, evaluations: int) -> History:
    search = Search(
        SPACE, Countable(max_budget=3.0), strategy=strategy, schedule=schedule, seed=seed
    )
    return search.run(evaluations=evaluations, progress=False)


@pytest.mark.parametrize("name", CASES)
def test_an_earlier_search_chooses_better_first_networks(name: str) -> None:
    strategy, schedule = CASES[name]
    found, drawn = [], []
    for seed in range(4):
        history = run(strategy, schedule, seed, 5)
        found += [evaluation.cost for evaluation in history.evaluations[1:]]
        history = run(RandomSearch(), schedule, seed, 5)
        drawn += [evaluation.cost for evaluation in history.evaluations[1:]]
    assert np.mean(found) < np.mean(drawn) - 0.5


@pytest.mark.parametrize("name", CASES)
def test_the_same_seed_makes_the_same_proposals(name: str) -> None:
    first, second = (run(*CASES[name], 3, 12) for _ in range(2))
    assert [t.key for t in first.trials] == [t.key for t in second.trials]


def test_a_resumed_search_repeats_its_proposals(tmp_path: Path) -> None:
    strategy = BayesianOptimization(earlier=EARLIER)
    whole = run(strategy, None, 0, 14)
    for evaluations in (8, 14):
        with Search(
            SPACE, Countable(max_budget=3.0), strategy=strategy, directory=tmp_path
        ) as search:
            resumed = search.run(evaluations=evaluations, progress=False)
    assert [t.key for t in resumed.trials] == [t.key for t in whole.trials]


@pytest.mark.parametrize("costs", ["shuffled", "inverted"])
def test_a_wrong_source_is_outlived(costs: str) -> None:
    right = [evaluation.cost for evaluation in EARLIER[0].evaluations]
    generator = np.random.default_rng(0)
    wrong = generator.permutation(right).tolist() if costs == "shuffled" else [-c for c in right]
    strategy = BayesianOptimization(earlier=[searched(dict(enumerate(wrong)), count=60)])
    best = [min(e.cost for e in run(strategy, None, s, 25).evaluations) for s in range(3)]
    assert np.mean(best) <= 5.0  # of 4 with six convolutions, where the median network has 8


def test_a_source_without_successes_is_refused_at_once() -> None:
    with pytest.raises(EarlierError, match="successful evaluations"):
        Search(SPACE, Countable(), strategy=BayesianOptimization(earlier=[failed()]))
