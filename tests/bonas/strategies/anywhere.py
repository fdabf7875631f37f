"""What strategies without a surrogate must do in any search; inherit with `StrategyContract`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from ConfigSpace import Configuration, ConfigurationSpace, Float, Integer

from bonas import Search
from bonas.runners import Simulated
from bonas.search.progress import Silent
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.strategy import Exhausted, Strategy, started
from fidelity import AsynchronousHalving, FullFidelity, Hyperband, SuccessiveHalving
from fidelity.history.history import History
from fidelity.history.trial import Status
from fidelity.schedules.schedule import Schedule
from spaces import JointSpace, liu2018
from spaces.keys import trial_key
from spaces.space import Space, values
from tests.bonas.strategies.contract import MEDIUM, SMALL, cost, record, run

JOINT = JointSpace(
    MEDIUM,
    ConfigurationSpace(
        space={"rate": Float("rate", (1e-4, 1.0), log=True), "warmup": Integer("warmup", (0, 5))}
    ),
)
HIERARCHICAL = liu2018()
SCHEDULES = (
    FullFidelity(9.0),
    SuccessiveHalving(1, 9),
    Hyperband(1, 9),
    AsynchronousHalving(1, 9),
)


def objective(configuration: Configuration, budget: float) -> Mapping[str, float]:
    """Fails now and then; slow networks are no better than quick ones."""
    chosen = values(configuration)
    number = sum(map(ord, repr(sorted(chosen.items()))))
    if number % 13 == 0:
        raise ArithmeticError("a failure")
    rate = chosen.get("training:rate", 0.1)
    found = cost(configuration) + 0.1 * abs(math.log10(rate) + 1) + 0.2 / budget
    return {"cost": found, "seconds": budget * (1 + number % 5)}


def searched(strategy: Strategy, space: Space, schedule: Schedule, workers: int) -> History:
    with Search(space, objective, strategy=strategy, schedule=schedule, seed=1) as search:
        return search.run(evaluations=60, runner=Simulated(workers), progress=Silent())


def asked(history: History) -> list[tuple[str, float]]:
    return [(trial.key, trial.budget) for trial in history.trials]


class AnywhereContract:
    """Inherited whole; override `strategy`: of ten random networks or fewer, then its own."""

    def strategy(self) -> Strategy:
        raise NotImplementedError

    @pytest.mark.parametrize("workers", [1, 4])
    @pytest.mark.parametrize("schedule", SCHEDULES, ids=lambda schedule: type(schedule).__name__)
    def test_every_schedule_and_several_workers(self, schedule: Schedule, workers: int) -> None:
        history = searched(self.strategy(), JOINT, schedule, workers)
        assert len(history) == 60
        assert asked(history) == asked(searched(self.strategy(), JOINT, schedule, workers))
        starts = [trial.key for trial in history.trials if trial.parent is None]
        assert len(starts) == len(set(starts))

    def test_hierarchical_spaces(self) -> None:
        history = History(HIERARCHICAL.configuration_space)
        strategy = started(self.strategy(), HIERARCHICAL)
        for number in range(16):
            chosen = strategy.propose(HIERARCHICAL, history, np.random.default_rng(number))
            assert isinstance(chosen, Configuration)
            chosen.check_valid_configuration()
            record(history, HIERARCHICAL, chosen)
        assert len(history.keys()) == 16

    def test_every_network_of_a_small_space_and_then_no_more(self) -> None:
        history, strategy = History(SMALL.configuration_space), started(self.strategy(), SMALL)
        every = run(RandomSearch(), SMALL, 400).keys()
        for number in range(len(every)):
            chosen = strategy.propose(SMALL, history, np.random.default_rng(number))
            record(history, SMALL, chosen, Status.CRASHED if number % 4 == 0 else None)
        assert history.keys() == every
        with pytest.raises(Exhausted):
            strategy.propose(SMALL, history, np.random.default_rng(0))

    def test_what_runs_is_not_proposed(self) -> None:
        from fidelity.history.trial import Trial

        history = run(self.strategy(), MEDIUM, 14)
        for number in range(8):
            chosen = self.strategy().propose(MEDIUM, history, np.random.default_rng(0))
            assert isinstance(chosen, Configuration)
            key = trial_key(MEDIUM, chosen)
            assert not history.of_network(key)
            history.add_trial(Trial(14 + number, chosen, key, 1.0))

    def test_it_beats_random_search(self) -> None:
        def reached(strategy: Strategy, seed: int) -> float:
            history = run(strategy, JOINT, 40, seed)
            return float(np.mean(sorted(cost(t.configuration) for t in history.trials[20:])[:5]))

        ours = [reached(self.strategy(), seed) for seed in range(5)]
        assert np.mean(ours) < np.mean([reached(RandomSearch(), seed) for seed in range(5)])
