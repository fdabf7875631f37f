from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fidelity.history.goal import Constraint, Goal
from fidelity.history.history import History
from fidelity.history.pareto import fronts
from fidelity.history.ranking import ranked
from fidelity.history.trial import Evaluation, Status
from fidelity.schedules.schedule import Start
from tests.fidelity.histories import end, space, start

TWO = Goal(("cost", "latency"))
LIMITED = Goal(("cost", "latency"), (Constraint("latency", at_most=3.0),))
Outcome = tuple[float, float] | None
OUTCOMES = st.lists(
    st.one_of(st.none(), st.tuples(st.integers(0, 4).map(float), st.integers(0, 6).map(float))),
    max_size=15,
)


def told(history: History, outcome: Outcome, budget: float = 1.0) -> None:
    trial = start(history, Start(budget))
    if outcome is None:
        history.add_evaluation(Evaluation(trial, status=Status.CRASHED, error="it broke"))
    else:
        history.add_evaluation(Evaluation(trial, outcome[0], {"latency": outcome[1]}))


def searched(goal: Goal, outcomes: list[Outcome], budget: float = 1.0) -> History:
    history = History(space(), goal=goal)
    for outcome in outcomes:
        told(history, outcome, budget)
    return history


def test_one_objective_without_limits_is_seen_as_it_is() -> None:
    history = History(space())
    assert ranked(history) is history


@settings(deadline=None)
@given(OUTCOMES)
def test_a_better_front_is_a_lower_cost_and_no_two_are_equal(outcomes: list[Outcome]) -> None:
    history = searched(TWO, outcomes)
    seen = [e for e in ranked(history).evaluations if e.succeeded]
    points = np.array([TWO.costs(e) for e in seen]).reshape(len(seen), 2)
    places = np.argsort([e.cost for e in seen])
    assert (np.diff(fronts(points)[places]) >= 0).all()
    assert len({e.cost for e in seen}) == len(seen)
    assert all(0 <= e.cost < 1 for e in seen)


@settings(deadline=None)
@given(OUTCOMES)
def test_limits_go_before_objectives(outcomes: list[Outcome]) -> None:
    history = searched(LIMITED, outcomes)
    seen = [e for e in ranked(history).evaluations if e.succeeded]
    ordered = [LIMITED.violation(e) for e in sorted(seen, key=lambda e: e.cost)]
    assert ordered == sorted(ordered)


@settings(deadline=None)
@given(OUTCOMES)
def test_the_values_and_everything_else_stay_as_they_were(outcomes: list[Outcome]) -> None:
    history = searched(TWO, outcomes)
    seen = ranked(history)
    assert [TWO.costs(e) for e in seen.evaluations] == [TWO.costs(e) for e in history.evaluations]
    assert [e.status for e in seen.evaluations] == [e.status for e in history.evaluations]
    assert seen.trials == history.trials
    assert seen.pareto_front == [seen.evaluation(e.trial.number) for e in history.pareto_front]


@settings(deadline=None)
@given(OUTCOMES)
def test_a_view_that_grew_is_the_same_as_a_new_one(outcomes: list[Outcome]) -> None:
    grown = History(space(), goal=TWO)
    for outcome in outcomes:
        told(grown, outcome)
        ranked(grown)
    fresh = searched(TWO, outcomes)
    assert [e.cost for e in ranked(grown).evaluations] == [
        e.cost for e in ranked(fresh).evaluations
    ]


def test_budgets_are_ranked_each_by_itself() -> None:
    history = searched(TWO, [(1.0, 1.0), (2.0, 2.0)])
    told(history, (9.0, 9.0), budget=3.0)
    assert [e.cost for e in ranked(history).evaluations] == [0.0, 0.5, 0.0]


def test_what_runs_and_what_was_refused_are_seen_at_once() -> None:
    history = searched(TWO, [(1.0, 1.0)])
    ranked(history)
    running = start(history, Start(1.0))
    history.refuse("too large")
    seen = ranked(history)
    assert seen.pending == (running,)
    assert seen.refused == {"too large"}
    told_later = end(history, running, 3.0)
    assert told_later.trial == running


def test_where_nothing_keeps_the_limits_of_several_objectives_the_closest_comes_first() -> None:
    goal = Goal(("cost", "size"), (Constraint("size", at_most=1.0),))
    history = History(space(), goal=goal)
    for size in (5.0, 2.0, 3.0):
        trial = start(history, Start(1.0))
        history.add_evaluation(Evaluation(trial, 0.5, metrics={"size": size}))
    seen = ranked(history)
    assert [e.trial.number for e in sorted(seen.evaluations, key=lambda e: e.cost)] == [1, 2, 0]
    assert history.incumbent is None


def test_what_is_beyond_a_limit_costs_more_than_a_penalty() -> None:
    limited = Goal(constraints=(Constraint("latency", at_most=3.0),))
    history = searched(limited, [(1e300, 1.0), (0.1, 3.5), (0.2, 1.0), (0.3, 1.7e308)])
    penalty, beyond, ordinary, far = (e.cost for e in ranked(history).evaluations)
    assert ordinary < penalty < min(beyond, far)
    assert far < float("inf")
