from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status
from fidelity.schedules import AsynchronousHalving, Promote, Schedule, Start
from tests.fidelity.histories import end, simulate, space, start
from tests.fidelity.schedules.contract import ScheduleContract


class TestAsynchronousHalving(ScheduleContract):
    def make(self) -> Schedule:
        return AsynchronousHalving(1.0, 9.0)

    def test_by_hand(self) -> None:
        # One worker, rungs at 1, 3 and 9 epochs, one in three promoted; a network costs the
        # same at each budget. Rung 0 promotes 1 of 3, 2 of 6, 3 of 9; rung 1 promotes 1 of 3.
        costs: dict[int, float | None] = {
            0: 0.5, 1: 0.4, 2: 0.6,  # of three, trial 1 is best
            4: 0.7, 5: 0.8, 6: 0.45,  # of six, trials 1 and 6 are
        }  # fmt: skip
        expected = [
            # (budget, parent)   costs in rung 0                              | in rung 1
            (1, None), (1, None), (1, None),  # 0.4 0.5 0.6                   |
            (3, 1),  # 0.4 is the best of three                               | 0.4
            (1, None), (1, None), (1, None),  # 0.4 0.45 0.5 0.6 0.7 0.8      |
            (3, 6),  # 0.45 is among the best two of six                      | 0.4 0.45
            (1, None),  # 0.1 0.4 ... : the best two of seven hold 0.1        |
            (3, 8),  # so it is promoted at once, a third promotion of seven  | 0.1 0.4 0.45
            (9, 9),  # rung 1 has three now: its best goes before all else    |
            (1, None), (1, None),  # 9 in rung 0: its best three are all promoted
            (1, None),
        ]  # fmt: skip
        costs |= {8: 0.1, 11: 0.9, 12: 0.95, 13: 0.99}
        history = simulate(self.make(), len(expected), costs)
        assert [(trial.budget, trial.parent) for trial in history.trials] == expected

    def test_workers_at_once(self) -> None:
        # Four workers, each of which takes the next decision when its trial ends.
        schedule, history = self.make(), History(space())
        first = [start(history, Start(1.0)) for _ in range(4)]
        end(history, first[3], 0.4)
        assert schedule.next(history) == Start(1.0)  # nothing is a third of one
        end(history, first[1], 0.2)
        assert schedule.next(history) == Start(1.0)
        end(history, first[0], 0.3)
        assert schedule.next(history) == Promote(first[1], 3.0)  # the best of three
        promoted = start(history, Promote(first[1], 3.0))
        assert schedule.next(history) == Start(1.0)
        end(history, first[2], 0.1)
        assert schedule.next(history) == Promote(first[2], 3.0)  # now the best of four
        end(history, promoted, 0.2)
        assert schedule.next(history) == Promote(first[2], 3.0)

    def test_failures_count_and_are_never_promoted(self) -> None:
        schedule, history = self.make(), History(space())
        for cost in (None, None, 0.5):
            end(history, start(history, Start(1.0)), cost)
        assert schedule.next(history) == Promote(history.trials[2], 3.0)
        end(history, start(history, Promote(history.trials[2], 3.0)), None)
        assert schedule.next(history) == Start(1.0)
        assert schedule.continuable(history) == set()

    def test_a_lost_promotion_is_made_once_more(self) -> None:
        schedule, history = self.make(), History(space())
        trials = [start(history, Start(1.0)) for _ in range(4)]
        for trial, cost in zip(trials[:3], (0.3, 0.2, 0.1), strict=True):
            end(history, trial, cost)
        history.add_evaluation(Evaluation(trials[3], status=Status.LOST))
        again = Promote(trials[2], 3.0)
        for _ in range(2):
            assert schedule.next(history) == again
            assert schedule.continuable(history) == {0, 1, 2}
            lost = start(history, again)
            assert schedule.continuable(history) == {0, 1}
            assert schedule.next(history) == Start(1.0)
            history.add_evaluation(Evaluation(lost, status=Status.LOST))
        assert schedule.next(history) == Start(1.0)
        assert schedule.continuable(history) == {0, 1}

    def test_checkpoints_that_may_be_needed(self) -> None:
        history = simulate(self.make(), 4, {})
        assert self.make().continuable(history) == {1, 2, 3}
