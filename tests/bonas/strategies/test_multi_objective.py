from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ConfigSpace import Configuration

from bonas.strategies.multi_objective import MultiObjectiveBayesianOptimization
from bonas.strategies.random_search import RandomSearch
from bonas.strategies.strategy import Strategy, started
from bonas.surrogates import RandomForest
from bonas.surrogates.transform import negative
from fidelity.history.goal import Constraint, Goal
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.keys import trial_key
from spaces.space import sample
from tests.bonas.strategies import fronts
from tests.bonas.strategies.contract import StrategyContract

COMPUTED = Goal(("cost", "size"), computed={"size": fronts.size})
THREE = Goal(("cost", "size", "minus"))


class TestMultiObjectiveBayesianOptimization(StrategyContract):
    def strategy(self) -> MultiObjectiveBayesianOptimization:
        return MultiObjectiveBayesianOptimization(initial=4)


def lacking(goal: Goal, strategy: MultiObjectiveBayesianOptimization, seed: int) -> float:
    return 2.5 * 60 - fronts.volume(fronts.search(strategy, 40, seed, goal))


def test_it_finds_the_front() -> None:
    strategy = MultiObjectiveBayesianOptimization()
    ours = [fronts.volume(fronts.search(strategy, 30, seed)) for seed in range(3)]
    random = [fronts.volume(fronts.search(RandomSearch(), 30, seed)) for seed in range(3)]
    assert np.mean(ours) > np.mean(random)


def test_what_is_computed_is_not_learned() -> None:
    asked = []

    class Refuses:
        """A surrogate for one objective only."""

        reads_paths = False

        def fit(self, inputs, targets, layout):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            asked.append(len(targets))
            return RandomForest().fit(inputs, targets, layout)

    fronts.search(MultiObjectiveBayesianOptimization(Refuses()), 12, 0, COMPUTED)
    assert asked == list(range(5, 12))


def test_to_know_an_objective_helps() -> None:
    strategy = MultiObjectiveBayesianOptimization()
    known = np.mean([lacking(COMPUTED, strategy, seed) for seed in range(3)])
    assert known <= 1.02 * np.mean([lacking(fronts.TWO, strategy, seed) for seed in range(3)])


def test_networks_much_larger_than_all_observed_ones_are_tried() -> None:
    def size(configuration: Configuration) -> float:
        """With a gap, as where the width of a network doubles."""
        return fronts.size(configuration) + 100.0 * (fronts.size(configuration) > 15)

    drawn = sample(fronts.LARGE.configuration_space, 200, np.random.default_rng(0))
    small = [chosen for chosen in drawn if size(chosen) < 100][:12]
    goal = Goal(("cost", "size"), computed={"size": size})
    history = History(fronts.LARGE.configuration_space, goal=goal)
    strategy = started(MultiObjectiveBayesianOptimization(), fronts.LARGE)
    for number in range(16):
        chosen = small[number] if number < len(small) else None
        if chosen is None:
            proposal = strategy.propose(fronts.LARGE, history, np.random.default_rng(number))
            assert isinstance(proposal, Configuration)
            chosen = proposal
        trial = Trial(number, chosen, trial_key(fronts.LARGE, chosen), 1.0)
        history.add_trial(trial)
        history.add_evaluation(Evaluation(trial, fronts.error(chosen)))
    assert max(size(trial.configuration) for trial in history.trials[12:]) > 100


def test_what_runs_is_not_proposed_and_sends_the_next_one_elsewhere() -> None:
    strategy = MultiObjectiveBayesianOptimization()
    history = fronts.search(strategy, 12)
    found = []
    for number in range(12, 18):
        chosen = strategy.propose(fronts.LARGE, history, np.random.default_rng(0))
        found.append(trial_key(fronts.LARGE, chosen))
        history.add_trial(Trial(number, chosen, found[-1], 1.0))
    assert len(set(found)) == 6


def test_few_evaluations_are_beyond_a_limit_that_is_learned() -> None:
    limited = Goal(("cost", "size"), (Constraint("size", at_most=20.0),))

    def beyond(strategy: Strategy) -> float:
        late = fronts.search(strategy, 45, 0, limited).evaluations[20:]
        return float(np.mean([not limited.feasible(evaluation) for evaluation in late]))

    assert beyond(MultiObjectiveBayesianOptimization()) < 0.4 * beyond(RandomSearch())


def test_what_is_beyond_a_limit_is_no_part_of_the_front() -> None:
    # Were it, the front of large networks would leave nothing to improve.
    limited = Goal(("cost", "size"), (Constraint("size", at_most=25.0),))
    strategy = MultiObjectiveBayesianOptimization()
    history = fronts.search(strategy, 40, 0, limited)
    assert history.pareto_front
    assert all(limited.value(e, "size") <= 25 for e in history.pareto_front)


@pytest.mark.parametrize("objectives", [("cost",), ("cost", "size", "cost2")])
def test_any_number_of_objectives(objectives: tuple[str, ...]) -> None:
    goal = Goal(objectives, computed={"cost2": lambda c: -fronts.size(c) % 7})
    history = fronts.search(MultiObjectiveBayesianOptimization(), 14, 0, goal)
    assert len(history.keys()) == 14


def test_proposals_do_not_depend_on_what_was_proposed_before() -> None:
    """Beyond the first 30 evaluations, where hyperparameters are kept for a while."""
    used = MultiObjectiveBayesianOptimization()
    history = fronts.search(used, 44)
    for number in range(3):
        rngs = [np.random.default_rng(number) for _ in range(2)]
        fresh = MultiObjectiveBayesianOptimization()
        assert used.propose(fronts.LARGE, history, rngs[0]) == fresh.propose(
            fronts.LARGE, history, rngs[1]
        )


def test_the_unit_of_an_objective_does_not_matter() -> None:
    strategy = MultiObjectiveBayesianOptimization()
    history = fronts.search(strategy, 20)
    scaled = History(history.space, goal=fronts.TWO)
    for evaluation in history.evaluations:
        scaled.add_trial(evaluation.trial)
        metrics = {"size": 1e6 * evaluation.metrics["size"]}
        scaled.add_evaluation(replace(evaluation, metrics=metrics))
    found = [strategy.propose(fronts.LARGE, h, np.random.default_rng(0)) for h in (history, scaled)]
    assert found[0] == found[1]


def test_another_transform_and_another_surrogate() -> None:
    strategy = MultiObjectiveBayesianOptimization(RandomForest(), transform=negative)
    assert len(fronts.search(strategy, 10).keys()) == 10
