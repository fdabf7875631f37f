from __future__ import annotations

import numpy as np
import pytest

from bonas.strategies.local_search import LocalSearch
from bonas.strategies.networks import Networks
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from spaces.keys import trial_key
from tests.bonas.strategies.anywhere import AnywhereContract
from tests.bonas.strategies.contract import MEDIUM, StrategyContract, cost, record, run


class TestLocalSearch(StrategyContract, AnywhereContract):
    def strategy(self) -> LocalSearch:
        return LocalSearch(initial=4)


NETWORKS = Networks(MEDIUM)


def proposed(history: History, seed: int = 0, initial: int = 2) -> str:
    chosen = LocalSearch(initial).propose(MEDIUM, history, np.random.default_rng(seed))
    return trial_key(MEDIUM, chosen)


def begun(costs: tuple[float | Status, ...]) -> History:
    history = run(LocalSearch(1000), MEDIUM, 0)
    for number, outcome in enumerate(costs):
        chosen = LocalSearch(1000).propose(MEDIUM, history, np.random.default_rng(number))
        record(history, MEDIUM, chosen, outcome)
    return history


def near(trial: Trial) -> set[str]:
    found = map(NETWORKS.key, NETWORKS.neighbours(trial.configuration))
    return set(found) - {trial.key}


def test_neighbours_of_the_best_are_evaluated() -> None:
    history = begun((3.0, 1.0, 2.0))
    assert {proposed(history, seed, 3) for seed in range(10)} <= near(history.trials[1])


def test_it_moves_to_the_first_better_neighbour() -> None:
    history = begun((3.0, 1.0))
    for outcome in (2.0, 0.5):
        chosen = LocalSearch(2).propose(MEDIUM, history, np.random.default_rng(0))
        record(history, MEDIUM, chosen, outcome)
    assert {proposed(history, seed) for seed in range(10)} <= near(history.trials[3])


def test_it_begins_anew_at_a_local_optimum() -> None:
    history = begun((3.0, 1.0))
    optimum = history.trials[1]
    while near(optimum) - history.keys():
        chosen = LocalSearch(2).propose(MEDIUM, history, np.random.default_rng(len(history)))
        record(history, MEDIUM, chosen, 2.0)
    anew = len(history)
    for outcome in (5.0, 4.0):
        chosen = LocalSearch(2).propose(MEDIUM, history, np.random.default_rng(len(history)))
        record(history, MEDIUM, chosen, outcome)
    # Worse than the optimum, and yet the centre of the next descent.
    assert {proposed(history, seed) for seed in range(10)} <= near(history.trials[anew + 1])


def test_a_network_whose_other_neighbours_are_refused_is_an_optimum() -> None:
    history = begun((3.0, 1.0))
    for key in near(history.trials[1]) - history.keys():
        history.refuse(key)
    restarted = len(history)
    for outcome in (5.0, 4.0):
        chosen = LocalSearch(2).propose(MEDIUM, history, np.random.default_rng(len(history)))
        record(history, MEDIUM, chosen, outcome)
    assert {proposed(history, seed) for seed in range(10)} <= near(history.trials[restarted + 1])


def test_without_a_success_it_goes_on_at_random() -> None:
    history = begun((Status.CRASHED, Status.DIVERGED, Status.CRASHED))
    assert len({proposed(history, seed) for seed in range(20)}) > 15


def test_a_higher_budget_counts_more() -> None:
    history = begun((3.0, 1.0))
    parent = history.trials[0]
    promoted = Trial(2, parent.configuration, parent.key, 9.0, parent=0)
    history.add_trial(promoted)
    history.add_evaluation(Evaluation(promoted, 2.0))
    assert {proposed(history, seed) for seed in range(10)} <= near(parent)


def test_random_networks_while_all_neighbours_run() -> None:
    history = begun((3.0, 1.0))
    best = history.trials[1]
    for chosen in NETWORKS.neighbours(best.configuration):
        if not history.of_network(key := NETWORKS.key(chosen)):
            history.add_trial(Trial(len(history.trials), chosen, key, 1.0))
    found = {proposed(history, seed) for seed in range(10)}
    assert len(found) > 5
    assert not found & history.keys()


def test_the_end_of_a_descent_is_a_local_optimum() -> None:
    history = run(LocalSearch(2), MEDIUM, 40)
    costs = {trial.key: cost(trial.configuration) for trial in history.trials}
    best = min(history.trials, key=lambda trial: costs[trial.key])
    assert all(costs.get(key, 1.0) >= costs[best.key] for key in near(best))


def test_a_descent_needs_a_beginning() -> None:
    with pytest.raises(ValueError, match="at least 1 network"):
        LocalSearch(0)
