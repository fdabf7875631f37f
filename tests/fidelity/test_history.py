import math
from pathlib import Path

import pytest

from fidelity.history import History, evaluation_record, trial_record
from fidelity.schedules.schedule import Promote, Start
from fidelity.trial import Evaluation, Status
from tests.fidelity.histories import end, space, start


def test_indexes() -> None:
    history = History(space())
    one = start(history, Start(1.0))
    two = start(history, Start(1.0, bracket=1))
    assert history.pending == (one, two)
    end(history, one, 0.5)
    assert history.pending == (two,)
    assert history.evaluation(one.number) is history.evaluations[0]
    assert history.evaluation(two.number) is None
    end(history, two, None)
    assert len(history.at(1.0)) == 2
    assert history.budgets == (1.0,)
    assert list(history.bracket(1)) == [two]
    assert history.keys() == {one.key, two.key}


def test_the_incumbent_is_the_best_at_the_highest_budget_with_a_success() -> None:
    history = History(space())
    assert history.incumbent is None
    low = end(history, start(history, Start(1.0)), 0.1)
    assert history.incumbent is low
    other = start(history, Start(1.0))
    end(history, other, 0.2)
    end(history, start(history, Promote(low.trial, 3.0)), None)
    assert history.incumbent is low  # what failed at the higher budget is no incumbent
    high = end(history, start(history, Promote(other, 3.0)), 0.15)
    assert history.incumbent is high


def test_resource_counts_increments_and_reused_results_are_free() -> None:
    history = History(space())
    root = start(history, Start(1.0))
    end(history, root, 0.5)
    end(history, start(history, Promote(root, 3.0)), 0.4)
    assert history.resource == 3.0
    again = start(history, Start(3.0), key=root.key)
    known = history.known(again)
    assert known is not None
    history.add_evaluation(Evaluation(again, known.cost, reused=known.trial.number))
    assert history.resource == 3.0


def test_only_outcomes_that_would_repeat_are_known() -> None:
    history = History(space())
    for status, known in [
        (Status.SUCCESS, True), (Status.DIVERGED, True), (Status.INVALID, True),
        (Status.CRASHED, False), (Status.TIMEOUT, False), (Status.MEMORY, False),
        (Status.LOST, False),
    ]:  # fmt: skip
        trial = start(history, Start(1.0))
        history.add_evaluation(
            Evaluation(trial, 0.5 if status == "success" else math.inf, status=status)
        )
        assert (history.known(trial) is not None) is known


def test_trials_are_numbered_and_told_once() -> None:
    history = History(space())
    trial = start(history, Start(1.0))
    with pytest.raises(ValueError, match="the next trial has number 1, not 0"):
        history.add_trial(trial)
    end(history, trial, 0.5)
    with pytest.raises(ValueError, match="not pending"):
        end(history, trial, 0.5)


def test_records_replay_to_the_same_history() -> None:
    history = History(space())
    root = start(history, Start(1.0))
    history.add_evaluation(
        Evaluation(root, 0.25, {"loss": 1.5, "odd": Path("x")}, ((1.0, 0.5),), 2.0, 1.0)
    )
    failed = start(history, Promote(root, 3.0))
    end(history, failed, None)
    start(history, Start(1.0, bracket=2))
    copy = History(space())
    copy.replay([trial_record(t) for t in history.trials[:2]])
    copy.replay([evaluation_record(e) for e in history.evaluations])
    copy.replay([trial_record(t) for t in history.trials[2:]])
    assert copy.trials == history.trials
    assert copy.pending == history.pending
    assert copy.evaluations[0].metrics == {"loss": 1.5, "odd": "x"}
    assert copy.evaluations[0].curve == ((1.0, 0.5),)
    assert copy.evaluations[1] == history.evaluations[1]


def test_frame_has_a_row_an_evaluation() -> None:
    history = History(space())
    assert history.frame().empty
    trial = start(history, Start(1.0))
    history.add_evaluation(Evaluation(trial, 0.25, {"loss": 1.5}))
    frame = history.frame()
    assert frame.loc[0, "cost"] == 0.25
    assert frame.loc[0, "loss"] == 1.5
    assert frame.loc[0, "operation"] == trial.configuration["operation"]
    assert frame.loc[0, "status"] == "success"
