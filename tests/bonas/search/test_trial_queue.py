from bonas.search.trial_queue import TrialQueue
from fidelity.history.trial import Trial
from tests.bonas.runners.fakes import trial


def like(other: Trial, number: int) -> Trial:
    return Trial(number, other.configuration, other.key, other.budget, other.seed)


def waiting(queue: TrialQueue) -> list[int]:
    """The numbers of the trials that come next, which are taken out."""
    return [trial.number for trial in iter(queue.pop, None)]


def test_one_of_several_duplicates_runs_and_the_others_come_next_in_order() -> None:
    queue = TrialQueue([trial(9)])
    queue.start(trial(0))
    queue.start(trial(1))
    queue.start(like(trial(0), 2))
    queue.start(like(trial(0), 3))
    assert list(queue.running) == [0, 1]
    assert len(queue) == 4
    queue.end(trial(1))
    queue.end(trial(0))
    assert waiting(queue) == [2, 3, 9]
    assert len(queue) == 0


def test_what_is_put_back_comes_before_its_duplicates() -> None:
    queue = TrialQueue([trial(9)])
    queue.start(trial(0))
    queue.start(like(trial(0), 1))
    queue.put_back(trial(0))
    assert waiting(queue) == [0, 1, 9]
    assert not queue.running


def test_another_budget_or_seed_is_no_duplicate() -> None:
    queue = TrialQueue()
    queue.start(trial(0))
    queue.start(like(trial(0, budget=3.0), 1))
    queue.start(Trial(2, trial(0).configuration, "0", 1.0, seed=1))
    assert list(queue.running) == [0, 1, 2]
