from __future__ import annotations

import numpy as np
import pytest
from ConfigSpace import Configuration

from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.evolution import RegularizedEvolution
from bonas.strategies.parego import ParEGO
from bonas.strategies.random_search import RandomSearch
from fidelity.history.goal import Constraint, Goal
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from spaces.space import Space, sample
from tests.bonas.strategies import fronts
from tests.bonas.strategies.contract import StrategyContract


class TestParEGO(StrategyContract):
    def strategy(self) -> ParEGO:
        return ParEGO(BayesianOptimization(initial=4, repeats=1))


class Spy:
    """Remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[History] = []

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        self.shown.append(history)
        return space.configuration_space.get_default_configuration()


def costs(points: list[tuple[float, float] | None], goal: Goal, seed: int = 0) -> list[float]:
    """What the other strategy sees of evaluations with these costs."""
    history = History(fronts.LARGE.configuration_space, goal=goal)
    for number, point in enumerate(points):
        chosen = fronts.LARGE.configuration_space.get_default_configuration()
        trial = Trial(number, chosen, f"key{number}", 1.0)
        history.add_trial(trial)
        failed = Evaluation(trial, status=Status.CRASHED)
        history.add_evaluation(
            failed if point is None else Evaluation(trial, point[0], {"size": point[1]})
        )
    spy = Spy()
    ParEGO(spy).propose(fronts.LARGE, history, np.random.default_rng(seed))
    return [e.cost for e in spy.shown[0].evaluations]


def test_the_cost_is_the_augmented_chebyshev_norm() -> None:
    weight = np.random.default_rng(3).dirichlet(np.ones(2))
    found = costs([(1.0, 100.0), (3.0, 500.0), (2.0, 100.0)], fronts.TWO, seed=3)
    middle = np.array([0.5, 0.0]) * weight
    assert found == pytest.approx([0.0, weight.max() + 0.05, middle.max() + 0.05 * middle.sum()])


def test_weights_differ_from_proposal_to_proposal() -> None:
    points = [(1.0, 500.0), (3.0, 100.0)]
    assert len({tuple(costs(points, fronts.TWO, seed)) for seed in range(5)}) == 5


def test_limits_and_failures_come_last() -> None:
    limited = Goal(("cost", "size"), (Constraint("size", at_most=200.0),))
    found = costs([(1.0, 500.0), (1.5, 300.0), None, (9.0, 199.0), (8.0, 150.0)], limited)
    assert sorted(range(5), key=lambda place: found[place])[2:] == [1, 0, 2]
    assert found[2] == np.inf


def test_the_strategy_sees_the_constraints_that_are_computable_before_training() -> None:
    measured, known = Constraint("latency", at_most=1.0), Constraint("size", at_most=10.0)
    goal = Goal(("cost", "size"), (measured, known), {"size": fronts.size})
    spy = Spy()
    history = History(fronts.LARGE.configuration_space, goal=goal)
    ParEGO(spy).propose(fronts.LARGE, history, np.random.default_rng(0))
    shown = spy.shown[0].goal
    assert shown.objectives == ("cost",)
    assert shown.constraints == (known,)
    for chosen in sample(fronts.LARGE.configuration_space, 20, np.random.default_rng(0)):
        assert shown.admits(chosen) == (fronts.size(chosen) <= 10.0)


def test_a_dominated_point_never_costs_less() -> None:
    points = [(1.0, 5.0), (2.0, 5.0), (2.0, 9.0)]
    for seed in range(10):
        first, second, third = costs(points, fronts.TWO, seed)  # type: ignore[arg-type]
        assert first < second < third


def test_it_finds_more_of_the_front_than_random_search() -> None:
    strategy = ParEGO(RegularizedEvolution(5, 5))
    ours = [fronts.volume(fronts.search(strategy, 60, seed)) for seed in range(3)]
    random = [fronts.volume(fronts.search(RandomSearch(), 60, seed)) for seed in range(3)]
    assert np.mean(ours) > np.mean(random)


def test_a_negative_weight_of_the_sum_is_refused() -> None:
    with pytest.raises(ValueError, match="rho is -1"):
        ParEGO(rho=-1)


def test_a_penalty_leaves_the_order_of_the_others() -> None:
    two = Goal(("cost", "size"))
    points = [(0.1, 0.1), (0.2, 0.2), (0.3, 0.3), (1e300, 0.3), (0.3, 1.7e308)]
    found = costs(points, two)
    assert found[:3] == sorted(set(found[:3]))
    assert max(found[:3]) < min(found[3:])
    lowest, *others = costs([(-1e300, -1.7e308), *points[:3]], two)
    assert [lowest, *others] == sorted({lowest, *others})
