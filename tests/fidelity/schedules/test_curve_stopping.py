from collections.abc import Callable
from dataclasses import replace

import pytest

from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.schedules import CurveStopping, Promote, ScheduleError, Start
from fidelity.schedules.curve_stopping import curve
from fidelity.schedules.schedule import Schedule
from tests.fidelity.histories import end, space, start
from tests.fidelity.schedules.contract import ScheduleContract
from tests.fidelity.trained import SPACE, TRAINING


class TestContract(ScheduleContract):
    def make(self) -> Schedule:
        return CurveStopping(9.0)


class TestUnevenSteps(ScheduleContract):
    def make(self) -> Schedule:
        return CurveStopping(10.0, step=3.5, min_budget=0.5, risk=0.2)


def follow(schedule: Schedule, costs: list[Callable[[float], float]]) -> History:
    """One worker; the network that starts as number i costs what costs[i] says of its budget."""
    history = History(space())
    network: dict[int, int] = {}
    started = 0
    while True:
        decision = schedule.next(history, exhausted=started == len(costs))
        if decision is None:
            return history
        trial = start(history, decision)
        if trial.parent is None:
            network[trial.number] = started
            started += 1
        else:
            network[trial.number] = network[trial.parent]
        end(history, trial, costs[network[trial.number]](trial.budget))


def good(budget: float) -> float:
    return 0.05 + 0.4 / budget


def bad(budget: float) -> float:
    return 0.8 + 0.1 / budget


def better(budget: float) -> float:
    return 0.02 + 0.5 / budget


def budgets(history: History, number: int) -> list[float]:
    """Of the trials of the network that started as this one."""
    starts = [trial.number for trial in history.trials if trial.parent is None]
    first = starts[number]
    last = starts[number + 1] if number + 1 < len(starts) else len(history.trials)
    return [trial.budget for trial in history.trials[first:last]]


class TestCurveStopping:
    def test_by_hand(self) -> None:
        history = follow(CurveStopping(9.0), [bad, good, bad, better])
        every = [float(budget) for budget in range(1, 10)]
        assert budgets(history, 0) == every  # there is nothing to beat yet
        assert budgets(history, 1) == every
        assert 1 < len(budgets(history, 2)) < 9
        assert budgets(history, 3) == every

    def test_a_higher_risk_stops_sooner(self) -> None:
        spent = [
            follow(CurveStopping(27.0, risk=risk), [good, bad, bad]).resource
            for risk in (0.0, 0.01, 0.1, 0.4)
        ]
        assert spent == sorted(spent, reverse=True)
        assert spent[0] == 81
        assert spent[0] > spent[-1]

    def test_what_was_stopped_stays_stopped(self) -> None:
        schedule = CurveStopping(9.0)
        history = follow(schedule, [good, bad])
        assert schedule.continuable(history) == set()
        assert CurveStopping(9.0).continuable(history) == set()
        assert schedule.next(history) == Start(1.0)

    def test_steps_that_miss_the_end_by_a_rounding_error(self) -> None:
        history = follow(CurveStopping(1.0, step=0.1), [good])
        assert len(history) == 10
        assert history.trials[-1].budget == 1.0

    def test_a_step_beyond_the_end_is_the_end(self) -> None:
        assert CurveStopping(4.0, step=9.0).next(History(space())) == Start(4.0)

    def test_failures_end(self) -> None:
        schedule = CurveStopping(9.0)
        history = History(space())
        end(history, start(history, Start(1.0)), None)
        assert schedule.next(history) == Start(1.0)

    def test_a_lost_worker_loses_one_step(self) -> None:
        schedule = CurveStopping(9.0)
        history = History(space())
        first = start(history, Start(1.0))
        end(history, first, 0.5)
        for attempt in range(2):
            decision = schedule.next(history)
            assert decision == CurveStopping(9.0).next(history) == Promote(first, 2.0)
            assert schedule.continuable(history) == {0}
            trial = start(history, Promote(first, 2.0))
            assert schedule.next(history) == CurveStopping(9.0).next(history) == Start(1.0)
            history.add_evaluation(Evaluation(trial, status=Status.LOST))
            assert trial.number == attempt + 1
        assert schedule.next(history) == CurveStopping(9.0).next(history) == Start(1.0)

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: CurveStopping(9, risk=1.0), "the risk is a probability"),
            (lambda: CurveStopping(9, risk=-0.1), "the risk is a probability"),
            (lambda: CurveStopping(9, risk=float("nan")), "the risk is a probability"),
            (lambda: CurveStopping(9, step=0), "the minimal budget is positive"),
            (lambda: CurveStopping(9, step=0, min_budget=1), "the step between two decisions"),
            (lambda: CurveStopping(9, min_budget=10), "swap them"),
            (lambda: CurveStopping(float("inf")), "finite"),
        ],
    )
    def test_impossible_ones_are_refused(
        self, make: Callable[[], CurveStopping], message: str
    ) -> None:
        with pytest.raises(ScheduleError, match=message):
            make()


class TestCurve:
    def chain(self, *parts: tuple[float, float, tuple[tuple[float, float], ...]]) -> History:
        """A trial that is promoted to each (budget, cost, curve)."""
        history = History(space())
        last: Trial | None = None
        for budget, cost, reported in parts:
            decision = Start(budget) if last is None else Promote(last, budget)
            last = start(history, decision)
            history.add_evaluation(Evaluation(last, cost, curve=reported))
        return history

    def test_is_joined_over_the_parents(self) -> None:
        history = self.chain(
            (2, 0.6, ((1, 0.8), (2, 0.6))),
            (4, 0.45, ((3, 0.5), (4, 0.45))),
        )
        assert curve(history, history.evaluations[1]) == [(1, 0.8), (2, 0.6), (3, 0.5), (4, 0.45)]

    def test_without_reports_it_is_the_costs(self) -> None:
        history = self.chain((1, 0.8, ()), (3, 0.5, ()), (9, 0.4, ()))
        assert curve(history, history.evaluations[2]) == [(1, 0.8), (3, 0.5), (9, 0.4)]
        assert curve(history, history.evaluations[0]) == [(1, 0.8)]

    def test_of_a_training_from_the_beginning_the_newest_counts(self) -> None:
        history = self.chain((2, 0.6, ((1, 0.8), (2, 0.6))), (3, 0.3, ((1, 0.7), (2, 0.5))))
        assert curve(history, history.evaluations[1]) == [(1, 0.7), (2, 0.5), (3, 0.3)]

    def test_reports_beyond_the_budget_are_left_out(self) -> None:
        history = self.chain((2, 0.6, ((1, 0.8), (200, 0.1))))
        assert curve(history, history.evaluations[0]) == [(1, 0.8), (2, 0.6)]


def test_a_real_training_goes_on_from_its_checkpoints() -> None:
    training = replace(TRAINING, max_epochs=3)
    schedule = CurveStopping(3.0)
    with Search(SPACE, training, strategy=RandomSearch(), schedule=schedule, seed=3) as search:
        history = search.run(epochs=6, progress=Silent())
    ends = [e for e in history.evaluations if e.succeeded and e.trial.budget == 3]
    assert ends
    assert history.resource <= 6
    assert not any(e.retrained for e in history.evaluations)
    assert [step for step, _ in curve(history, ends[0])] == [1, 2, 3]
    assert ends[0].metrics["resumed_from"] == 2
