"""Searches with several objectives: every kind of schedule, and strategies of every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ConfigSpace import Configuration

from bonas import Search
from bonas.runners import Simulated
from bonas.search.progress import Silent
from bonas.strategies import (
    NSGA2,
    BayesianOptimization,
    LocalSearch,
    MultiFidelityBayesianOptimization,
    MultiObjectiveBayesianOptimization,
    ParEGO,
    RandomSearch,
    RegularizedEvolution,
    Reinforce,
)
from bonas.strategies.strategy import Strategy
from fidelity.history.goal import Constraint, GoalError
from fidelity.history.history import History
from fidelity.history.pareto import fronts
from fidelity.history.trial import Evaluation, Status
from fidelity.objective import MissingValue, ObjectiveError
from fidelity.schedules import AsynchronousHalving, FullFidelity, Hyperband, Schedule
from tests.bonas.strategies.contract import MEDIUM, cost

EPOCHS = 27.0
OBJECTIVES = ("cost", "convolutions")

STRATEGIES: Mapping[str, Callable[[], Strategy | None]] = {
    "default": lambda: None,
    "RandomSearch": RandomSearch,
    "BayesianOptimization": lambda: BayesianOptimization(initial=4),
    "MultiFidelity": lambda: MultiFidelityBayesianOptimization(initial=4),
    "RegularizedEvolution": lambda: RegularizedEvolution(4, 2),
    "LocalSearch": lambda: LocalSearch(initial=4),
    "Reinforce": lambda: Reinforce(batch=4),
    "NSGA2": lambda: NSGA2(4),
    "ParEGO": lambda: ParEGO(BayesianOptimization(initial=4)),
}
SCHEDULES: Mapping[str, Callable[[], Schedule]] = {
    "FullFidelity": lambda: FullFidelity(EPOCHS),
    "Hyperband": lambda: Hyperband(3, EPOCHS),
    "AsynchronousHalving": lambda: AsynchronousHalving(3, EPOCHS),
}


def convolutions(configuration: Configuration) -> float:
    return float(list(configuration.values()).count("conv"))


class Objective:
    """Good networks have many convolutions, the computed objective; long training helps."""

    max_budget = EPOCHS
    computed: Mapping[str, Callable[[Configuration], float]] = {"convolutions": convolutions}

    def __call__(self, configuration: Configuration, budget: float) -> Mapping[str, float]:
        number = sum(map(ord, repr(configuration)))
        return {
            "cost": cost(configuration) + (1 + number % 3) / budget,
            "seconds": 1.0 + number % 5,
        }


def search(strategy: str, schedule: str, directory: Path | None = None) -> Search:
    return Search(
        MEDIUM,
        Objective(),
        strategy=STRATEGIES[strategy](),
        schedule=SCHEDULES[schedule](),
        objectives=OBJECTIVES,
        directory=directory,
    )


def asked(history: History) -> list[tuple[str, float, int | None]]:
    return [(trial.key, trial.budget, trial.parent) for trial in history.trials]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_it_finds_a_front_and_a_search_in_two_parts_is_the_same(
    strategy: str, schedule: str, tmp_path: Path
) -> None:
    with search(strategy, schedule) as whole:
        whole.run(evaluations=36, runner=Simulated(1), progress=Silent())
        front = whole.pareto_front
        costs = np.array([whole.goal.costs(e) for e in front])
    assert len(front)
    assert (fronts(costs) == 0).all()
    for evaluations in (17, 36):
        with search(strategy, schedule, tmp_path) as part:
            part.run(evaluations=evaluations, runner=Simulated(1), progress=Silent())
    assert asked(part.history) == asked(whole.history)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_workers_are_never_left_without_work(schedule: str) -> None:
    with search("NSGA2", schedule) as chosen:
        history = chosen.run(evaluations=50, runner=Simulated(4), progress=Silent())
    assert len(history) == 50
    assert all(evaluation.succeeded for evaluation in history.evaluations)


def test_ranks_that_change_promote_no_more_than_one_in_eta() -> None:
    """Whatever was best once and is no longer stays promoted, but takes the place of others."""
    with search("RandomSearch", "AsynchronousHalving") as chosen:
        history = chosen.run(evaluations=100, runner=Simulated(4), progress=Silent())
    counts = [sum(t.budget == budget for t in history.trials) for budget in history.budgets]
    below, above = counts[0], counts[1]
    assert below / 3 * 0.7 <= above <= below / 3 + 8


def test_promotions_are_of_the_front() -> None:
    with search("RandomSearch", "Hyperband") as chosen:
        history = chosen.run(evaluations=60, runner=Simulated(1), progress=Silent())
    rung = [e for e in history.evaluations if e.trial.bracket == 0 and e.trial.parent is None]
    promoted = {t.parent for t in history.trials}
    numbers = fronts(np.array([history.goal.costs(e) for e in rung])).tolist()
    places = [(number, e.trial.number in promoted) for number, e in zip(numbers, rung, strict=True)]
    won = [number for number, goes_on in places if goes_on]
    lost = [number for number, goes_on in places if not goes_on]
    assert won
    # The last front to be promoted may be in part; ranks were among these networks alone.
    assert max(won) <= min(lost)


def test_an_objective_that_is_missing_names_what_there_is() -> None:
    def objective(configuration: Configuration) -> dict[str, float]:
        return {"cost": 1.0, "latencies": 2.0}

    with Search(MEDIUM, objective, objectives=("cost", "latency")) as chosen:
        trial = chosen.ask()
        assert trial is not None
        with pytest.raises(ObjectiveError, match=r"no 'latency', but \['cost', 'latencies'\]"):
            chosen.tell(trial, objective(trial.configuration))


@pytest.mark.parametrize(
    ("returned", "wanted"),
    [
        (0.5, {"objectives": ("accuracy",)}),
        ({"cost": 0.5}, {"objectives": ("accuracy",)}),
        ({"acc": 0.5}, {"objectives": ("accuracy",)}),
        ({"cost": 0.5, "acc": 0.5}, {"objectives": ("cost", "accuracy")}),
        (0.5, {"constraints": [Constraint("accuracy", at_least=0.5)]}),
        ({"cost": 0.5}, {"constraints": [Constraint("accuracy", at_least=0.5)]}),
    ],
)
def test_a_missing_value_is_an_error_on_the_first_trial(
    returned: Any, wanted: dict[str, Any]
) -> None:
    with Search(MEDIUM, lambda configuration: returned, **wanted) as chosen:
        with pytest.raises(MissingValue, match="the objective returned no 'accuracy'"):
            chosen.run(evaluations=9, progress=Silent())
        assert len(chosen.history) == 0
        assert len(chosen.history.pending) == 1


def test_a_value_that_is_missing_later_is_a_failure_of_that_trial() -> None:
    calls = []

    def objective(configuration: Configuration) -> dict[str, float]:
        calls.append(configuration)
        return {"acc": 0.5} if len(calls) == 2 else {"accuracy": 0.5}

    with Search(MEDIUM, objective, objectives=("accuracy",)) as chosen:
        history = chosen.run(evaluations=3, progress=Silent())
    assert [str(e.status) for e in history.evaluations] == ["success", "crashed", "success"]
    assert "returned no 'accuracy', but ['acc']" in str(history.evaluations[1].error)


def test_the_one_named_objective_is_the_cost() -> None:
    with Search(MEDIUM, lambda configuration: {"error": 0.5}, objectives=("error",)) as chosen:
        history = chosen.run(evaluations=1, progress=Silent())
    assert history.evaluations[0].cost == 0.5


def test_a_told_evaluation_without_a_named_value_is_refused() -> None:
    with Search(MEDIUM, lambda configuration: 0, objectives=("cost", "latency")) as chosen:
        trial = chosen.ask()
        assert trial is not None
        with pytest.raises(MissingValue, match="the objective returned no 'latency'"):
            chosen.tell(trial, Evaluation(trial, 0.5))
        chosen.tell(trial, Evaluation(trial, 0.5, {"latency": 1.0}))


@pytest.mark.parametrize("constraints", [(), (Constraint("cost", at_most=1.0),)])
def test_the_cost_is_the_first_objective(constraints: tuple[Constraint, ...]) -> None:
    objectives = ("latency",) if constraints else ("latency", "cost")
    with pytest.raises(GoalError, match="'cost' is to be the first objective"):
        Search(MEDIUM, Objective(), objectives=objectives, constraints=constraints)


@pytest.mark.parametrize("value", [[1.0, 2.0], "fast", None, np.ones(2)])
def test_a_value_that_is_no_number_is_refused(value: Any) -> None:
    with Search(MEDIUM, lambda configuration: 0, objectives=("cost", "latency")) as chosen:
        trial = chosen.ask()
        assert trial is not None
        with pytest.raises(ObjectiveError, match="'latency' is to be a number"):
            chosen.tell(trial, {"cost": 1.0, "latency": value})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_is_not_finite_is_a_failure_of_that_trial(value: float) -> None:
    with Search(MEDIUM, lambda configuration: 0, objectives=("cost", "latency")) as chosen:
        trial = chosen.ask()
        assert trial is not None
        evaluation = chosen.tell(trial, {"cost": 1.0, "latency": value})
        assert evaluation.status is Status.DIVERGED
        assert "'latency' is" in str(evaluation.error)
        assert not chosen.pareto_front


def test_the_default_is_made_for_several_objectives() -> None:
    with search("default", "FullFidelity") as chosen:
        assert isinstance(chosen.strategy, MultiObjectiveBayesianOptimization)
    with Search(MEDIUM, Objective()) as chosen:
        assert isinstance(chosen.strategy, BayesianOptimization)
