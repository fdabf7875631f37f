from __future__ import annotations

from dataclasses import replace

from bonas.runners.retry import Attempt
from fidelity.history.trial import Evaluation, Status
from fidelity.objective import Context
from tests.bonas.runners.fakes import taking, trial

LOST = Evaluation(
    trial(3), status=Status.LOST, error="Traceback\nx.ProcessLost: rank 1 of 2 died\n", seconds=2.0
)


def attempt() -> Attempt:
    return Attempt.first(taking(0.0), trial(3), Context(), submitted=1.0)


def test_an_answer_is_the_end_of_a_trial() -> None:
    answered = Evaluation(trial(3), cost=0.5)
    assert attempt().after_answer(answered, retries=1) is answered
    failed = Evaluation(trial(3), status=Status.CRASHED, error="wrong")
    assert attempt().after_answer(failed, retries=1) is failed


def test_a_trial_that_lost_a_process_is_retried() -> None:
    second = attempt().after_answer(LOST, retries=1)
    assert isinstance(second, Attempt)
    assert (second.number, second.submitted) == (2, 1.0)


def test_a_trial_that_loses_a_process_too_often_is_lost() -> None:
    ended = replace(attempt(), number=2).after_answer(LOST, retries=1)
    assert isinstance(ended, Evaluation)
    assert ended.status is Status.LOST
    assert ended.seconds == 2.0
    assert ended.error == "the worker of trial 3 was lost (2 times): rank 1 of 2 died"
