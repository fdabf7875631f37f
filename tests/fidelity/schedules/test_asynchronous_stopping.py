from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status
from fidelity.schedules import AsynchronousStopping, Promote, Schedule, Start
from tests.fidelity.histories import end, simulate, space, start
from tests.fidelity.schedules.contract import ScheduleContract


class TestAsynchronousStopping(ScheduleContract):
    def make(self) -> Schedule:
        return AsynchronousStopping(1.0, 9.0)

    def test_by_hand(self) -> None:
        # One worker. Of one to three in a rung the best goes on, of four to six the best two.
        costs: dict[int, float | None] = {0: 0.5, 3: 0.6, 4: 0.4, 6: 0.7, 7: 0.45}
        history = simulate(self.make(), 10, costs)
        assert [(trial.budget, trial.parent) for trial in history.trials] == [
            (1, None), (3, 0), (9, 1),  # the first of each rung goes on
            (1, None),  # 0.6 is second of two: stopped
            (1, None), (3, 4),  # 0.4 is first of three, and of two in rung 1
            (9, 5),
            (1, None),  # 0.45 (by its number, 7) is second of four: it goes on
            (3, 7),  # but is second of three there
            (1, None),
        ]  # fmt: skip

    def test_what_was_stopped_never_goes_on(self) -> None:
        schedule, history = self.make(), History(space())
        trials = [start(history, Start(1.0)) for _ in range(6)]
        for trial, cost in zip(trials, (0.1, 0.2, 0.9, 0.8, 0.7, 0.6), strict=True):
            end(history, trial, cost)
        # 0.2 was second of two; that it is second of six by now does not matter.
        assert schedule.continuable(history) == {0}
        assert schedule.next(history) == Promote(trials[0], 3.0)
        start(history, Promote(trials[0], 3.0))
        assert schedule.next(history) == Start(1.0)
        assert schedule.continuable(history) == set()

    def test_failures_count_and_do_not_go_on(self) -> None:
        schedule, history = self.make(), History(space())
        trials = [start(history, Start(1.0)) for _ in range(5)]
        for trial, cost in zip(trials, (None, 0.5, None, 0.6, 0.7), strict=True):
            end(history, trial, cost)
        assert schedule.continuable(history) == {1, 3}  # 0.6 is second of four

    def test_a_lost_continuation_is_made_once_more(self) -> None:
        schedule, history = self.make(), History(space())
        end(history, start(history, Start(1.0)), 0.1)
        for _ in range(2):
            assert schedule.next(history) == Promote(history.trials[0], 3.0)
            lost = start(history, Promote(history.trials[0], 3.0))
            history.add_evaluation(Evaluation(lost, status=Status.LOST))
        assert schedule.next(history) == Start(1.0)
