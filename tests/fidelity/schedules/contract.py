"""What holds for every schedule; a test class for each inherits it."""

import random

import pytest

from fidelity.history.history import History
from fidelity.schedules.schedule import Promote, Schedule, Start, started
from tests.fidelity.histories import end, simulate, space, start


class ScheduleContract:
    def make(self) -> Schedule:
        raise NotImplementedError

    @pytest.mark.parametrize("workers", [1, 2, 5])
    @pytest.mark.parametrize("seed", range(15))
    def test_any_number_of_workers(self, seed: int, workers: int) -> None:
        """Random costs, failures and orders of ending: nothing waits for ever, or is done twice."""
        random_ = random.Random(seed)
        schedule = started(self.make())
        highest = schedule.max_budget
        assert highest is not None
        history = History(space())
        running: list[int] = []
        for _ in range(120):
            while len(running) < workers and (decision := schedule.next(history)):
                assert decision == self.make().next(history)  # a fresh one decides the same
                assert 0 < decision.budget <= highest
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

    def test_one_that_is_started_decides_by_any_history_as_the_settings_do(self) -> None:
        settings = self.make()
        schedule = started(settings)
        for length in (9, 4, 9):  # another history each time, of which it has seen nothing
            history = simulate(settings, length, {})
            assert schedule.next(history) == settings.next(history)
            assert schedule.continuable(history) == settings.continuable(history)
        assert schedule.max_budget == settings.max_budget

    def test_settings_keep_no_state(self) -> None:
        settings = self.make()
        before = repr(settings), dict(vars(settings))
        simulate(started(settings), 9, {})
        simulate(settings, 9, {})
        assert (repr(settings), dict(vars(settings))) == before
        assert str(settings.max_budget).removesuffix(".0") in repr(settings)

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
