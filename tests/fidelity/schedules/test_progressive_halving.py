from dataclasses import replace

import pytest

from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.schedules import AsynchronousHalving, ProgressiveHalving, Promote, Schedule, Start
from fidelity.schedules.progressive_halving import crossings
from tests.fidelity.histories import end, simulate, space, start
from tests.fidelity.schedules.contract import ScheduleContract

SCHEDULE = ProgressiveHalving(1.0, 81.0)


class TestProgressiveHalving(ScheduleContract):
    def make(self) -> Schedule:
        return ProgressiveHalving(1.0, 9.0)

    def test_stays_low_while_the_ranking_stays(self) -> None:
        history = simulate(SCHEDULE, 300, {})
        assert {trial.budget for trial in history.trials} == {1, 3}
        assert SCHEDULE.reached(history) == 3

    def test_with_two_rungs_it_is_asynchronous_halving(self) -> None:
        one = simulate(ProgressiveHalving(1.0, 3.0), 100, {})
        other = simulate(AsynchronousHalving(1.0, 3.0), 100, {})
        assert [(t.budget, t.parent) for t in one.trials] == [
            (t.budget, t.parent) for t in other.trials
        ]

    def test_one_rung_promotes_nothing(self) -> None:
        history = simulate(ProgressiveHalving(3.0, 3.0), 10, {})
        assert {trial.budget for trial in history.trials} == {3}


def pair(
    lower: tuple[float, float],
    upper: tuple[float, float],
    curves: tuple[tuple[tuple[float, float], ...], ...] = ((), ()),
) -> History:
    """Two trials of six that were promoted, with their costs in two rungs."""
    history = History(space())
    trials = [start(history, Start(1.0)) for _ in range(6)]
    for trial, cost in zip(trials, (*lower, 9.0, 9.0, 9.0, 9.0), strict=True):
        end(history, trial, cost)
    for trial, cost, curve in zip(trials[:2], upper, curves, strict=True):
        promoted = start(history, Promote(trial, 3.0))
        history.add_evaluation(replace(Evaluation(promoted, cost), curve=curve))
    return history


def test_a_changed_ranking_opens_a_rung() -> None:
    assert SCHEDULE.reached(pair((0.1, 0.2), (0.1, 0.2))) == 3
    history = pair((0.1, 0.2), (0.2, 0.1))
    assert SCHEDULE.reached(history) == 9
    # Two in the rung at 3, of which none is a third; and one more makes the best one go on.
    end(history, start(history, Start(1.0)), 0.0)
    assert SCHEDULE.next(history) == Promote(history.trials[8], 3.0)
    end(history, start(history, Promote(history.trials[8], 3.0)), 0.0)
    assert SCHEDULE.next(history) == Promote(history.trials[9], 9.0)


def test_equal_costs_are_no_change() -> None:
    assert SCHEDULE.reached(pair((0.2, 0.1), (0.1, 0.1))) == 3
    assert SCHEDULE.reached(pair((0.1, 0.1), (0.2, 0.1))) == 3


# The first is ahead, behind, ahead again and behind: what lies between them is noise.
CROSSING = (((2.0, 0.16), (2.5, 0.11)), ((2.0, 0.15), (2.5, 0.12)))


@pytest.mark.parametrize(
    ("lower", "reached"),
    [((0.10, 0.12), 3), ((0.10, 0.14), 9)],  # between the ends of the curves lies 0.03
)
def test_a_change_within_the_noise_is_none(lower: tuple[float, float], reached: float) -> None:
    assert SCHEDULE.reached(pair(lower, (0.13, 0.10), CROSSING)) == reached


def test_curves_of_which_one_stays_ahead_are_no_noise() -> None:
    curves = (((2.0, 0.16),), ((2.0, 0.15),))
    assert SCHEDULE.reached(pair((0.10, 0.12), (0.13, 0.10), curves)) == 9


def test_crossings() -> None:
    assert crossings([1.0, 0.0, 2.0]) == 0
    assert crossings([1.0, -1.0, 0.0, -2.0]) == 1
    assert crossings([1.0, 0.0, -1.0, 3.0]) == 2
    assert crossings([]) == 0
