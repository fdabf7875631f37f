from __future__ import annotations

from contextlib import nullcontext

import pytest

from bonas.search.failures import Failures, NothingWorks
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status
from fidelity.schedules.schedule import Start
from tests.fidelity.histories import end, space, start


def failure(history: History, status: Status = Status.CRASHED) -> Evaluation:
    trial = start(history, Start(1.0))
    evaluation = Evaluation(trial, status=status, error=f"number {trial.number} is broken")
    history.add_evaluation(evaluation)
    return evaluation


def test_the_run_stops_at_the_last_of_the_first_failures() -> None:
    history = History(space())
    failures = Failures(history, 3)
    failures.count(failure(history))
    failures.count(failure(history, Status.TIMEOUT))
    with pytest.raises(NothingWorks, match=r"(?s)first 3 evaluations.*crashed\nnumber 0 is broken"):
        failures.count(failure(history, Status.DIVERGED))


def test_networks_with_nothing_to_train_are_no_failures() -> None:
    history = History(space())
    failures = Failures(history, 2)
    for _ in range(5):
        failures.count(failure(history, Status.INVALID))
    failures.count(failure(history))
    with pytest.raises(NothingWorks, match="number 5 is broken"):
        failures.count(failure(history))


@pytest.mark.parametrize("in_an_earlier_run", [False, True])
def test_one_success_is_enough_to_go_on(in_an_earlier_run: bool) -> None:
    history = History(space())
    failures = Failures(history, 2)
    end(history, start(history, Start(1.0)), 0.5)
    if in_an_earlier_run:
        failures = Failures(history, 2)
    else:
        failures.count(history.evaluations[0])
    for _ in range(5):
        failures.count(failure(history))
    assert len(history) == 6


def test_failures_of_earlier_runs_do_not_count() -> None:
    history = History(space())
    for _ in range(5):
        failure(history)
    failures = Failures(history, 2)
    failures.count(failure(history))
    with pytest.raises(NothingWorks, match="number 5 is broken"):
        failures.count(failure(history))


@pytest.mark.parametrize("evaluations", [1, 3])
def test_a_run_of_which_everything_failed_says_so_at_its_end(evaluations: int) -> None:
    history = History(space())
    failures = Failures(history, 5)
    for _ in range(evaluations):
        failures.count(failure(history))
    message = (
        f"(?s)^no evaluation succeeded; .*number {evaluations - 1} is .* {evaluations} failures"
    )
    with pytest.raises(NothingWorks, match=message):
        failures.end()


def test_a_run_without_evaluations_or_with_nothing_to_train_ends_normally() -> None:
    history = History(space())
    failure(history)
    failures = Failures(history, 5)
    failures.end()
    failures.count(failure(history, Status.INVALID))
    failures.end()
    assert history.incumbent is None


@pytest.mark.parametrize(("failed", "says_so"), [(1, False), (4, False), (5, True), (7, True)])
def test_after_earlier_successes_only_many_failures_are_an_error(
    failed: int, says_so: bool
) -> None:
    history = History(space())
    end(history, start(history, Start(1.0)), 0.5)
    failures = Failures(history, 5)
    for _ in range(failed):
        failures.count(failure(history))
    with pytest.raises(NothingWorks) if says_so else nullcontext():
        failures.end()


def test_the_first_are_shown_whole_and_the_others_in_a_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    history = History(space())
    failures = Failures(history, 10)
    for number in range(4):
        trial = start(history, Start(1.0))
        failures.count(
            Evaluation(trial, status=Status.CRASHED, error=f"where{number}\nwhy{number}")
        )
    shown = [record.getMessage() for record in caplog.records]
    configuration = "The configuration of trial 0: operation=a, x=0.5"
    assert shown[0] == f"trial 0 at budget 1: crashed\nwhere0\nwhy0\n{configuration}"
    assert shown[3] == "trial 3 crashed: why3"


def test_a_number_of_failures_is_positive() -> None:
    with pytest.raises(ValueError, match="first_failures is a number of evaluations from 1 on"):
        Failures(History(space()), 0)
