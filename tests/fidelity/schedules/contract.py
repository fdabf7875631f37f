"""What holds for every schedule; a test class for each inherits it."""

import random

import pytest

from fidelity.history.history import History
from fidelity.schedules.schedule import Promote, Schedule, Start
from tests.fidelity.histories import end, space, start


class ScheduleContract:
    def make(self) -> Schedule:
        raise NotImplementedError

    @pytest.mark.parametrize("workers", [1, 2, 5])
    @pytest.mark.parametrize("seed", range(15))
    def test_any_number_of_workers(self, seed: int, workers: int) -> None:
        """Random costs, failures and orders of ending: nothing waits for ever, or is done twice."""
        random_ = random.Random(seed)
        schedule = self.make()
        history = History(space())
        running: list[int] = []
        for _ in range(120):
            while len(running) < workers and (decision := schedule.next(history)):
                assert decision == self.make().next(history)  # a fresh one decides the same
                assert 0 < decision.budget <= schedule.max_budget
                if isinstance(decision, Promote):
                    ended = history.evaluation(decision.trial.number)
                    assert ended is not None
                    assert ended.succeeded
                    assert decision.budget > decision.trial.budget
                    assert decision.trial.number in schedule.continuable(history)
                running.append(start(history, decision).number)
            assert running
            number = running.pop(random_.randrange(len(running)))
            failed = random_.random() < 0.15
            end(history, history.trials[number], None if failed else random_.random())
        promoted = [trial.parent for trial in history.trials if trial.parent is not None]
        assert len(promoted) == len(set(promoted))

    def test_what_is_left_when_the_space_is_exhausted(self) -> None:
        schedule = self.make()
        history = History(space())
        for number in range(3):
            decision = schedule.next(history)
            assert isinstance(decision, Start)
            end(history, start(history, decision), float(number))
            if isinstance(schedule.next(history), Promote):
                break
        for _ in range(50):
            decision = schedule.next(history, exhausted=True)
            if decision is None:
                break
            assert isinstance(decision, Promote)
            end(history, start(history, decision), 0.0)
        assert schedule.next(history, exhausted=True) is None
        if schedule.continuable(history):
            assert not history.pending
