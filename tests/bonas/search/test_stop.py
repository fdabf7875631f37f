from __future__ import annotations

import math

import pytest

from bonas.search.stop import Stop
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.schedules.schedule import Promote, Start
from tests.fidelity.histories import end, space, start


def of(*budgets: float) -> History:
    history = History(space())
    for budget in budgets:
        end(history, start(history, Start(budget)), 0.5)
    return history


def test_a_run_needs_a_limit_and_the_error_names_them() -> None:
    with pytest.raises(ValueError, match="give evaluations, seconds, epochs"):
        Stop()


@pytest.mark.parametrize("name", ["evaluations", "seconds", "epochs"])
@pytest.mark.parametrize("value", [0, -1, math.nan])
def test_limits_are_positive(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} is a positive total, not {value}"):
        Stop(**{name: value})


@pytest.mark.parametrize(
    ("limits", "reached"),
    [
        (Stop(evaluations=2), True),
        (Stop(evaluations=3), False),
        (Stop(epochs=4), True),
        (Stop(epochs=4.5), False),
        (Stop(seconds=10), True),
        (Stop(seconds=10.1), False),
        (Stop(evaluations=3, epochs=5, seconds=10), True),
        (Stop(evaluations=3, epochs=5, seconds=11), False),
    ],
)
def test_the_first_limit_that_is_reached_ends_a_run(limits: Stop, reached: bool) -> None:
    assert limits.reached(of(1, 3), seconds=10.0) is reached


def test_crashes_count_and_pending_trials_do_not() -> None:
    history = of(1)
    end(history, start(history, Start(1)), None)
    start(history, Start(1))
    assert Stop(evaluations=2).reached(history, 0)
    assert not Stop(evaluations=3).reached(history, 0)


def test_a_continued_trial_needs_only_the_rest() -> None:
    history = of(1, 1)
    trial = start(history, Promote(history.trials[0], 3.0))
    assert not Stop(epochs=4).exceeded_by(history, [trial])
    assert Stop(epochs=3.9).exceeded_by(history, [trial])
    assert not Stop(evaluations=1, seconds=1).exceeded_by(history, [trial])


def test_sums_of_thirds_are_not_in_excess_of_their_whole() -> None:
    third = 1 / 3
    history = of(*[third] * 8)
    trial = start(history, Start(third))
    assert not Stop(epochs=3).exceeded_by(history, [trial])


def test_reused_results_cost_no_epochs() -> None:
    history = of(4)
    known = start(history, Start(4), key="key0")
    history.add_evaluation(Evaluation(known, 0.5, reused=0))
    assert not Stop(epochs=5).reached(history, 0)
    assert Stop(evaluations=2).reached(history, 0)


def test_what_is_running_counts() -> None:
    assert Stop(evaluations=4).reached(of(1, 1), 0, running=2)
    assert not Stop(evaluations=5).reached(of(1, 1), 0, running=2)
    history = of(1, 1)
    running = [start(history, Start(3.0)), start(history, Promote(history.trials[0], 3.0))]
    assert not Stop(epochs=7).exceeded_by(history, running)
    assert Stop(epochs=6.9).exceeded_by(history, running)
