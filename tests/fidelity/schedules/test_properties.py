"""What holds in any order of ending, with failures and lost workers that come and go."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.schedules import (
    AsynchronousHalving,
    AsynchronousHyperband,
    AsynchronousStopping,
    CurveStopping,
    FullFidelity,
    Hyperband,
    ProgressiveHalving,
    Promote,
    Schedule,
    ScheduleError,
    SuccessiveHalving,
    started,
)
from tests.fidelity.histories import simulate, space, start

SCHEDULES: list[Schedule] = [
    AsynchronousHalving(1, 9),
    AsynchronousHalving(1, 8, eta=2),
    AsynchronousStopping(1, 9),
    AsynchronousHyperband(1, 9),
    ProgressiveHalving(1, 27),
    SuccessiveHalving(1, 9),
    Hyperband(1, 10),
]

# Each step of a run: how many workers there are, which of them ends, and how it ends.
STEPS = st.lists(
    st.tuples(
        st.integers(1, 6),
        st.integers(0, 5),
        st.one_of(st.integers(0, 8), st.sampled_from([Status.CRASHED, Status.LOST])),
    ),
    max_size=120,
)
Steps = list[tuple[int, int, int | Status]]


def follow(schedule: Schedule, steps: Steps) -> tuple[History, list[tuple[int, Trial]]]:
    """The history of a run, and after how many evaluations each promoted trial was promoted."""
    history, running, promotions = History(space()), list[Trial](), list[tuple[int, Trial]]()
    schedule = started(schedule)
    for workers, which, outcome in steps:
        while len(running) < workers:
            decision = schedule.next(history)
            assert decision is not None
            if isinstance(decision, Promote):
                promotions.append((len(history), decision.trial))
                assert decision.trial.number in schedule.continuable(history)
            running.append(start(history, decision))
        trial = running.pop(which % len(running))
        failed = isinstance(outcome, Status)
        history.add_evaluation(
            Evaluation(trial, status=outcome)
            if isinstance(outcome, Status)
            else Evaluation(trial, float(outcome))
        )
        assert not failed or trial.number not in schedule.continuable(history)
    assert set(history.pending) == set(running)
    return history, promotions


def copy(history: History) -> History:
    """The same, as far as schedules see it, that no schedule has seen."""
    copied = History(history.space)
    for trial in history.trials:
        copied.add_trial(trial)
    for evaluation in history.evaluations:
        copied.add_evaluation(evaluation)
    return copied


many = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)
@many
@given(steps=STEPS)
def test_any_schedule(schedule: Schedule, steps: Steps) -> None:
    history, _ = follow(schedule, steps)
    fresh = copy(history)
    for exhausted in (False, True):
        assert schedule.next(history, exhausted=exhausted) == schedule.next(
            fresh, exhausted=exhausted
        )
    assert schedule.continuable(history) == schedule.continuable(fresh)
    # Budgets are totals, each above that of what is continued.
    for trial in history.trials:
        assert 0 < trial.budget <= schedule.max_budget
        if trial.parent is not None:
            assert history.increment(trial) > 0
    # One promotion of each trial, and another one only if the first was lost with its worker:
    # so a lost worker loses one evaluation, and a network that kills its workers kills two.
    for parent, times in Counter(trial.parent for trial in history.trials).items():
        if parent is not None and times > 1:
            assert times == 2
            first = next(t for t in history.trials if t.parent == parent)
            assert (ended := history.evaluation(first.number))
            assert ended.status is Status.LOST


@pytest.mark.parametrize("schedule", [*SCHEDULES, CurveStopping(6), FullFidelity(3)], ids=repr)
@many
@given(steps=STEPS)
def test_every_started_trial_ends_or_is_paused(schedule: Schedule, steps: Steps) -> None:
    """Nothing new is started after `steps`: what runs ends, and what may go on does."""
    history, _ = follow(schedule, steps)
    for number in range(100 * len(history.trials) + 1):
        if decision := schedule.next(history, exhausted=True):
            assert isinstance(decision, Promote)
            start(history, decision)
        elif history.pending:
            history.add_evaluation(Evaluation(next(iter(history.pending)), float(number % 7)))
        else:
            break
    assert not history.pending
    assert schedule.next(history, exhausted=True) is None
    paused, given_up = schedule.continuable(history), set()
    for trial in history.trials:
        ended = history.evaluation(trial.number)
        assert ended is not None
        following = [t for t in history.trials if t.parent == trial.number]
        lost = [t for t in following if _status(history, t) is Status.LOST]
        may_go_on = ended.succeeded and trial.budget < schedule.max_budget
        if trial.number in paused:
            assert may_go_on
            assert len(following) == len(lost) < 2
        elif may_go_on and not following:
            given_up.add(trial.number)
    # What has stopped for good was decided by a rung; these never decide against a trial.
    if isinstance(schedule, AsynchronousHalving | AsynchronousHyperband | ProgressiveHalving):
        assert not given_up


def _status(history: History, trial: Trial) -> Status:
    ended = history.evaluation(trial.number)
    assert ended is not None
    return ended.status


@pytest.mark.parametrize("schedule", SCHEDULES[:5], ids=repr)
@many
@given(steps=STEPS)
def test_no_rung_is_over_promoted(schedule: Schedule, steps: Steps) -> None:
    eta = schedule.eta  # type: ignore[attr-defined]  # all of these have one
    history, promotions = follow(schedule, steps)
    for ended, trial in promotions:
        rung = [
            evaluation.cost
            for evaluation in history.evaluations[:ended]
            if evaluation.trial.budget == trial.budget
            and evaluation.trial.bracket == trial.bracket
            and evaluation.status is not Status.LOST
        ]
        if isinstance(schedule, AsynchronousStopping):  # decided when it ended
            place = next(i for i, e in enumerate(history.evaluations) if e.trial == trial)
            rung = [
                e.cost
                for e in history.evaluations[: place + 1]
                if e.trial.budget == trial.budget and e.status is not Status.LOST
            ]
        evaluation = history.evaluation(trial.number)
        assert evaluation
        assert evaluation.succeeded
        better = sum(cost < evaluation.cost for cost in rung)
        stopping = isinstance(schedule, AsynchronousStopping)
        assert better < (-(-len(rung) // eta) if stopping else len(rung) // eta)


@pytest.mark.parametrize("schedule", [SuccessiveHalving(1, 9), Hyperband(1, 10)], ids=repr)
@many
@given(steps=STEPS)
def test_no_bracket_is_over_filled(schedule: SuccessiveHalving | Hyperband, steps: Steps) -> None:
    history, _ = follow(schedule, steps)
    for bracket in range(history.brackets):
        trials = [
            trial
            for trial in history.bracket(bracket)
            if trial.parent is None
            or not (ended := history.evaluation(trial.number))
            or ended.status is not Status.LOST
        ]
        counted = Counter(trial.budget for trial in trials)
        planned = {rung.budget: rung.trials for rung in schedule.bracket(bracket)}
        assert counted.keys() <= planned.keys()
        assert all(counted[budget] <= planned[budget] for budget in counted)


def test_two_schedules_of_one_history_do_not_disturb_each_other() -> None:
    history, _ = follow(Hyperband(1, 9), [(1, 0, cost % 9) for cost in range(60)])
    for schedule in SCHEDULES:
        assert schedule.next(history) == schedule.next(copy(history))
        assert schedule.continuable(history) == schedule.continuable(copy(history))


# Factors as people write them (2.5), and as they compute them (the square root of 2).
ETAS = st.one_of(
    st.integers(110, 800).map(lambda hundredths: hundredths / 100),
    st.integers(2, 50).map(lambda square: square**0.5),
)


@settings(max_examples=200, deadline=None)
@given(eta=ETAS, steps=st.integers(0, 6), low=st.sampled_from([0.1, 1.0, 1 / 3, 7.0]))
def test_every_bracket_reaches_the_top_whatever_eta_is(eta: float, steps: int, low: float) -> None:
    high = low * eta**steps
    halving, hyperband = SuccessiveHalving(low, high, eta), Hyperband(low, high, eta)
    for rungs in (halving.rungs, *(hyperband.bracket(number) for number in range(steps + 1))):
        assert rungs[-1].budget == high
        assert rungs[-1].trials >= 1
        assert [r.trials for r in rungs] == sorted((r.trials for r in rungs), reverse=True)
    assert len(halving.rungs) == steps + 1
    # The default is the smallest number that the schedule accepts, and the one it suggests.
    fewest = halving.rungs[0].trials
    assert SuccessiveHalving(low, high, eta, trials=fewest).rungs == halving.rungs
    with pytest.raises(ScheduleError, match=f"start at least {fewest}$"):
        SuccessiveHalving(low, high, eta, trials=fewest - 1)


@settings(max_examples=25, deadline=None)
@given(eta=ETAS, steps=st.integers(0, 3))
def test_asynchronous_schedules_reach_the_top_whatever_eta_is(eta: float, steps: int) -> None:
    """With costs that fall from trial to trial every promotion is of the newest."""
    enough = 60 + 2 * int(eta ** (steps + 1))
    for kind in (AsynchronousHalving, AsynchronousStopping, AsynchronousHyperband):
        schedule = kind(1.0, eta**steps, eta)
        if enough < 2000:
            history = simulate(schedule, enough, {n: float(-n) for n in range(enough)})
            assert max(trial.budget for trial in history.trials) == schedule.max_budget
    # The share of Hyperband that an asynchronous bracket gets is that of whole brackets.
    assert all(share >= eta**steps for share in AsynchronousHyperband(1, eta**steps, eta).shares)
