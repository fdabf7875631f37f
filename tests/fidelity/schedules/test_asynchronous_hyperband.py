from collections import defaultdict

import pytest

from fidelity.schedules import AsynchronousHyperband, Schedule
from tests.fidelity.histories import simulate
from tests.fidelity.schedules.contract import ScheduleContract


class TestAsynchronousHyperband(ScheduleContract):
    def make(self) -> Schedule:
        return AsynchronousHyperband(1.0, 9.0)

    def test_by_hand(self) -> None:
        # Hyperband(1, 9) has brackets (9, 1) (3, 3) (1, 9), then (5, 3) (1, 9), then (3, 9):
        # with resuming they spend 9 + 6 + 6, 15 + 6 and 27.
        assert AsynchronousHyperband(1, 9).shares == (21, 21, 27)
        # Given, in 21sts and 27ths: 1 0 0, 1 3 0, 1 3 9, and then bracket 0 is behind, for
        # 2/21 and 3/21 are less than or equal to 3/21.
        history = simulate(self.make(), 6, {})
        assert [(t.bracket, t.budget, t.parent) for t in history.trials] == [
            (0, 1, None), (1, 3, None), (2, 9, None), (0, 1, None), (0, 1, None),
            (0, 3, 0),  # of three in rung 0 the first is best
        ]  # fmt: skip

    @pytest.mark.parametrize("most", [9, 27, 81])
    def test_brackets_get_their_shares(self, most: float) -> None:
        schedule = AsynchronousHyperband(1, most)
        history = simulate(schedule, 2000, {})
        given: dict[int, float] = defaultdict(float)
        for trial in history.trials:
            given[trial.bracket] += history.increment(trial)
        parts = [given[s] / share for s, share in enumerate(schedule.shares)]
        # No bracket is ahead by more than what it does in one go: from its rung to the top.
        assert max(parts) - min(parts) <= 2 * most / min(schedule.shares)

    def test_brackets_begin_at_their_rung(self) -> None:
        schedule = AsynchronousHyperband(1, 27)
        history = simulate(schedule, 500, {})
        for trial in history.trials:
            assert (trial.budget == schedule.budgets[trial.bracket]) == (trial.parent is None)
        assert max(trial.bracket for trial in history.trials) == 3
