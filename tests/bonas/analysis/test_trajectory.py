from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonas.analysis.trajectory import (
    Clock,
    at,
    incumbents,
    lowest_costs,
    quantiles,
    reached,
    regrets,
    times,
    trajectory,
)
from fidelity.history.goal import Constraint, Goal
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.schedules.schedule import Promote, Start
from tests.fidelity.histories import end, space, start

COSTS = st.lists(st.one_of(st.none(), st.integers(0, 5)), max_size=12)


def plain(*costs: float | None) -> History:
    """One new trial at budget 1 after another; None is a crash."""
    history = History(space())
    for cost in costs:
        end(history, start(history, Start(1.0)), cost)
    return history


def by_hand() -> History:
    """Two trials at 1 epoch, the better promoted to 3, a crash, a reused result, and the best."""
    history = History(space())

    def add(trial: Trial, began: float, **outcome: object) -> None:
        history.add_evaluation(Evaluation(trial, started=began, seconds=2.0, **outcome))  # type: ignore[arg-type]

    worse = start(history, Start(1.0), "a")
    add(worse, 0.0, cost=0.5)
    better = start(history, Start(1.0), "b")
    add(better, 2.0, cost=0.4)
    add(start(history, Promote(better, 3.0)), 4.0, cost=0.3)
    add(start(history, Start(3.0), "c"), 6.0, status=Status.CRASHED, error="it broke")
    known = start(history, Start(1.0), "b")
    history.add_evaluation(Evaluation(known, cost=0.4, started=8.5, reused=better.number))
    add(start(history, Start(9.0), "d"), 8.0, cost=0.1)
    return history


def overlapping() -> History:
    """Three workers; the second trial ends first, the last two together and at equal costs."""
    history = History(space())
    trials = [start(history, Start(1.0)) for _ in range(4)]
    for number, began, seconds, cost in [
        (1, 0, 2, 0.6),
        (0, 0, 5, 0.9),
        (2, 0, 7, 0.4),
        (3, 2, 5, 0.4),
    ]:
        history.add_evaluation(
            Evaluation(trials[number], cost=cost, started=float(began), seconds=float(seconds))
        )
    return history


@pytest.mark.parametrize(
    ("clock", "found"),
    [
        ("evaluations", [1, 2, 3, 6, 6]),
        # 1, 1 + 1, then 2 more to go from 1 to 3, 3 lost in the crash, 0 reused, 9.
        ("epochs", [1, 2, 4, 16, 16]),
        ("seconds", [2, 4, 6, 10, 10]),
    ],
)
def test_every_number_of_a_history_by_hand(clock: Clock, found: list[float]) -> None:
    moments, costs = trajectory(by_hand(), clock)
    assert moments.tolist() == found
    assert costs.tolist() == [0.5, 0.4, 0.3, 0.1, 0.1]


def test_what_was_spent_after_each_evaluation() -> None:
    assert times(by_hand(), "evaluations").tolist() == [1, 2, 3, 4, 5, 6]
    assert times(by_hand(), "epochs").tolist() == [1, 2, 4, 7, 7, 16]
    assert times(by_hand(), "seconds").tolist() == [2, 4, 6, 8, 8.5, 10]


def test_evaluations_that_overlap() -> None:
    # The worse one that ends later changes nothing; of two equal ones the first counts.
    moments, costs = trajectory(overlapping(), "seconds")
    assert moments.tolist() == [2, 7, 7]
    assert costs.tolist() == [0.6, 0.4, 0.4]
    assert trajectory(overlapping(), "epochs")[0].tolist() == [1, 3, 4]


def test_a_tie_is_no_improvement() -> None:
    moments, costs = trajectory(plain(0.5, 0.5, 0.4, 0.4, 0.6))
    assert moments.tolist() == [1, 3, 5]
    assert costs.tolist() == [0.5, 0.4, 0.4]


def test_crashes_spend_and_improve_nothing() -> None:
    moments, costs = trajectory(plain(None, None, 0.5, None))
    assert moments.tolist() == [3, 4]
    assert costs.tolist() == [0.5, 0.5]


@pytest.mark.parametrize("history", [plain(), plain(None, None)])
@pytest.mark.parametrize("clock", ["evaluations", "epochs", "seconds"])
def test_without_a_success_there_is_nothing(history: History, clock: Clock) -> None:
    moments, costs = trajectory(history, clock)
    assert len(moments) == len(costs) == 0


def test_what_is_pending_has_spent_nothing() -> None:
    history = plain(0.5)
    start(history, Start(9.0))
    assert trajectory(history)[0].tolist() == [1, 1]


def test_a_network_beyond_a_limit_improves_nothing() -> None:
    history = History(space(), goal=Goal(constraints=(Constraint("size", at_most=2),)))
    for cost, size in [(0.5, 1.0), (0.1, 3.0), (0.4, 2.0)]:
        trial = start(history, Start(1.0))
        history.add_evaluation(Evaluation(trial, cost=cost, metrics={"size": size}))
    assert lowest_costs(history).tolist() == [0.5, 0.5, 0.4]


def test_the_incumbent_is_that_of_the_history_at_each_moment() -> None:
    whole = by_hand()
    found = incumbents(whole)
    history = History(space())
    for trial in whole.trials:
        history.add_trial(trial)
    for evaluation, best in zip(whole.evaluations, found, strict=True):
        history.add_evaluation(evaluation)
        assert history.incumbent == best
    assert [e and e.trial.number for e in found] == [0, 1, 2, 2, 2, 5]


def test_the_regret_is_that_of_the_incumbent_and_may_rise() -> None:
    history = History(space())
    for number, (x, budget, cost) in enumerate(
        [(0.1, 1.0, 0.5), (0.2, 1.0, 0.4), (0.9, 3.0, 0.45)]
    ):
        chosen = space().get_default_configuration()
        chosen["x"] = x
        trial = Trial(number, chosen, f"key{number}", budget)
        history.add_trial(trial)
        history.add_evaluation(Evaluation(trial, cost=cost))
    values = regrets(history, lambda configuration: float(configuration["x"]))
    assert values.tolist() == [0.1, 0.2, 0.9]
    moments, found = trajectory(history, "epochs", lambda configuration: float(configuration["x"]))
    assert moments.tolist() == [1, 2, 5, 5]
    assert found.tolist() == [0.1, 0.2, 0.9, 0.9]


def test_values_at_any_moment() -> None:
    curve = trajectory(plain(None, 3, 3, 1))
    moments = np.array([0.0, 1.9, 2.0, 3.5, 4.0, 9.0])
    assert at(curve, moments).tolist() == [np.inf, np.inf, 3, 3, 1, 1]


def test_a_target_is_reached_when_it_is_kept_from_then_on() -> None:
    curve = trajectory(plain(8, 5, 2))
    assert [reached(curve, goal) for goal in (9, 8, 7, 5, 2, 1)] == [1, 1, 2, 2, 3, np.inf]
    rising = (np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.1, 0.5, 0.1, 0.1]))
    assert reached(rising, 0.2) == 3
    assert reached((np.array([]), np.array([])), 1.0) == np.inf


def test_quartiles_of_runs_of_unequal_length() -> None:
    curves = [trajectory(plain(*costs)) for costs in [(8, 4), (6, 6, 6, 2), (4, 4, 3)]]
    moments, (low, middle, high) = quantiles(curves)
    assert moments.tolist() == [1, 2, 3, 4]
    # Sorted values: 4 6 8, then 4 4 6, then 3 4 6, then 2 3 4.
    assert middle.tolist() == [6, 4, 4, 3]
    assert low.tolist() == [5, 4, 3.5, 2.5]
    assert high.tolist() == [7, 5, 5, 3.5]


def test_quartiles_begin_when_every_run_has_found_something() -> None:
    curves = [trajectory(plain(8, 7, 6)), trajectory(plain(None, None, 4, 3))]
    moments, (_, middle, _) = quantiles(curves)
    assert moments.tolist() == [3, 4]
    assert middle.tolist() == [5, 4.5]


def test_one_run_is_its_own_quantiles() -> None:
    moments, values = quantiles([trajectory(plain(3, 2, 1))], (0.1, 0.9))
    assert moments.tolist() == [1, 2, 3]
    assert values.tolist() == [[3, 2, 1], [3, 2, 1]]


@given(COSTS)
def test_a_trajectory_falls_to_the_lowest_cost(costs: list[float | None]) -> None:
    moments, values = trajectory(plain(*costs))
    known = [cost for cost in costs if cost is not None]
    assert (np.diff(moments) >= 0).all()
    assert (np.diff(values) <= 0).all()
    assert values[-1:].tolist() == ([min(known)] if known else [])
    assert moments[-1:].tolist() == ([len(costs)] if known else [])
