from collections import Counter

import pytest

from fidelity.history.history import History
from fidelity.schedules import (
    AsynchronousHalving,
    AsynchronousHyperband,
    AsynchronousStopping,
    CurveStopping,
    FullFidelity,
    Hyperband,
    ProgressiveHalving,
    ScheduleError,
    Start,
    SuccessiveHalving,
    complete,
    started,
)
from fidelity.schedules.schedule import Promote, Schedule
from tests.fidelity.histories import end, simulate, space, start
from tests.fidelity.schedules.contract import ScheduleContract


class TestFullFidelity(ScheduleContract):
    def make(self) -> Schedule:
        return FullFidelity(9.0)

    def test_everything_at_one_budget(self) -> None:
        history = simulate(self.make(), 5, {})
        assert [trial.budget for trial in history.trials] == [9.0] * 5
        assert self.make().continuable(history) == set()


class TestSuccessiveHalving(ScheduleContract):
    def make(self) -> Schedule:
        return SuccessiveHalving(1.0, 9.0)

    def test_by_hand(self) -> None:
        # Nine start; trials 8, 4 and 2 are best, of which 4 is the best of all.
        costs: dict[int, float | None] = dict.fromkeys(range(9), 5.0)
        costs |= {8: 0.3, 4: 0.1, 2: 0.2}
        history = simulate(self.make(), 14, costs)
        assert [t.budget for t in history.trials] == [1.0] * 9 + [3.0] * 3 + [9.0] + [1.0]
        assert [t.parent for t in history.trials[9:13]] == [4, 2, 8, 9]
        assert history.trials[13].bracket == 1

    @pytest.mark.parametrize(
        ("eta", "steps", "trials"),
        [
            (2.5, 2, [7, 2, 1]),
            (1.3, 1, [2, 1]),
            (1.3, 3, [3, 2, 1, 1]),
            (1.5, 2, [3, 2, 1]),
            (1.5, 4, [6, 4, 2, 1, 1]),
            (2.5, 1, [3, 1]),
            (2.5, 4, [40, 16, 6, 2, 1]),
            (3.5, 2, [13, 3, 1]),
            (2.2, 4, [24, 10, 4, 2, 1]),
            (3, 3, [27, 9, 3, 1]),
            (2**0.5, 4, [4, 2, 2, 1, 1]),
        ],
    )
    def test_one_reaches_the_top_by_hand(self, eta: float, steps: int, trials: list[int]) -> None:
        assert [rung.trials for rung in SuccessiveHalving(1, eta**steps, eta).rungs] == trials

    def test_failures_are_not_promoted(self) -> None:
        costs: dict[int, float | None] = dict.fromkeys(range(8))
        history = simulate(self.make(), 12, costs)
        assert [t.parent for t in history.trials[9:11]] == [8, 9]  # the only one that succeeded
        assert history.trials[11].bracket == 1

    def test_a_free_worker_starts_the_next_bracket(self) -> None:
        schedule = self.make()
        history = History(space())
        running = [start(history, Start(1.0)) for _ in range(9)]
        for trial in running[:8]:
            end(history, trial, 0.5)
        assert schedule.next(history) == Start(1.0, bracket=1)
        end(history, running[8], 0.1)
        assert schedule.next(history) == Promote(running[8], 3.0)

    def test_checkpoints_that_may_be_needed(self) -> None:
        schedule = self.make()
        costs: dict[int, float | None] = dict.fromkeys(range(9), 5.0)
        costs |= {8: 0.3, 4: 0.1, 2: 0.2}
        assert schedule.continuable(simulate(schedule, 5, costs)) == {0, 1, 2, 3, 4}
        assert schedule.continuable(simulate(schedule, 9, costs)) == {4, 2, 8}
        assert schedule.continuable(simulate(schedule, 10, costs)) == {9, 2, 8}
        assert schedule.continuable(simulate(schedule, 12, costs)) == {9}
        assert schedule.continuable(simulate(schedule, 13, costs)) == set()


class TestHyperband(ScheduleContract):
    def make(self) -> Schedule:
        return Hyperband(1.0, 9.0)

    def test_published_brackets(self) -> None:
        # Li et al. (2018), JMLR 18(185), table 1: R = 81, eta = 3.
        published = [
            [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
            [(34, 3), (11, 9), (3, 27), (1, 81)],
            [(15, 9), (5, 27), (1, 81)],
            [(8, 27), (2, 81)],
            [(5, 81)],
        ]
        schedule = Hyperband(1, 81)
        assert [[tuple(r) for r in schedule.bracket(b)] for b in range(5)] == published
        assert schedule.bracket(5) == schedule.bracket(0)

    @pytest.mark.parametrize(("most", "resumed", "retrained"), [(27, 357, 423), (81, 1581, 1902)])
    def test_resuming_saves_what_it_should(self, most: int, resumed: int, retrained: int) -> None:
        schedule = Hyperband(1, most)
        kinds = range({27: 4, 81: 5}[most])
        trials = sum(rung.trials for b in kinds for rung in schedule.bracket(b))
        history = simulate(schedule, trials, {})
        assert history.resource == resumed
        assert sum(trial.budget for trial in history.trials) == retrained

    def test_a_simulated_round(self) -> None:
        schedule = Hyperband(1, 81)
        history = simulate(schedule, 206, {})
        counted = Counter((t.bracket, t.budget) for t in history.trials)
        planned = {(b, r.budget): r.trials for b in range(5) for r in schedule.bracket(b)}
        assert counted == planned


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Hyperband(9, 1), "maximal budget 1 is below the minimal budget 9"),
        (lambda: Hyperband(0, 9), "minimal budget is positive"),
        (lambda: Hyperband(-1, 9), "minimal budget is positive"),
        (lambda: Hyperband(float("nan"), 9), "minimal budget is positive"),
        (lambda: SuccessiveHalving(1, float("inf")), "finite"),
        (lambda: SuccessiveHalving(1, 9, eta=1), "eta"),
        (lambda: SuccessiveHalving(1, 9, trials=2), "start at least 9"),
        (lambda: SuccessiveHalving(1, 9, trials=0), "start at least 9"),
        (lambda: SuccessiveHalving(1, 6.25, eta=2.5, trials=6), "start at least 7"),
        (lambda: FullFidelity(0), "minimal budget is positive"),
    ],
)
def test_impossible_schedules_are_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ScheduleError, match=message):
        make()


INCOMPLETE: list[Schedule] = [
    Hyperband(1),
    SuccessiveHalving(1),
    SuccessiveHalving(1, trials=9),
    AsynchronousHalving(1),
    AsynchronousHyperband(1),
    AsynchronousStopping(1),
    ProgressiveHalving(1),
    CurveStopping(),
]


class TestComplete:
    @pytest.mark.parametrize("schedule", INCOMPLETE, ids=repr)
    def test_a_maximal_budget_that_is_left_out_is_the_objectives(self, schedule: Schedule) -> None:
        completed = complete(schedule, 9.0)
        assert completed.max_budget == 9.0
        assert type(completed) is type(schedule)
        assert completed.next(History(space())) == Start(1.0)
        assert schedule.max_budget is None

    @pytest.mark.parametrize("schedule", INCOMPLETE, ids=repr)
    def test_a_schedule_without_one_decides_nothing(self, schedule: Schedule) -> None:
        with pytest.raises(ScheduleError, match="give it max_budget, as in Hyperband"):
            complete(schedule, None)
        with pytest.raises(ScheduleError, match="no maximal budget"):
            schedule.next(History(space()))

    def test_its_own_maximal_budget_is_kept(self) -> None:
        schedule = Hyperband(1, 9)
        assert complete(schedule, 27.0) is schedule
        assert complete(schedule, None) is schedule

    def test_what_can_be_checked_without_it_is_checked_at_once(self) -> None:
        with pytest.raises(ScheduleError, match="minimal budget is positive"):
            Hyperband(0)
        with pytest.raises(ScheduleError, match="eta"):
            AsynchronousHalving(1, eta=1)

    def test_the_rest_is_checked_with_it(self) -> None:
        with pytest.raises(ScheduleError, match="below the minimal budget"):
            complete(Hyperband(10), 9.0)
        with pytest.raises(ScheduleError, match="start at least 9"):
            complete(SuccessiveHalving(1, trials=8), 9.0)

    def test_only_a_dataclass_can_be_completed(self) -> None:
        class Own:
            max_budget = None

        with pytest.raises(ScheduleError, match=r"is not a dataclass .*: give it a number"):
            complete(Own(), 9.0)  # type: ignore[arg-type]


def test_a_schedule_without_state_is_started_as_it_is() -> None:
    schedule = FullFidelity(9.0)
    assert started(schedule) is schedule
