from bonas.search.trial_queue import TrialQueue
from fidelity.history.trial import Trial
from tests.bonas.runners.fakes import trial


def like(other: Trial, number: int) -> Trial:
    return Trial(number, other.configuration, other.key, other.budget, other.seed)


def test_one_of_several_twins_runs_and_the_others_come_next_in_order() -> None:
    flying = TrialQueue([trial(9)])
    flying.start(trial(0))
    flying.start(trial(1))
    flying.start(like(trial(0), 2))
    flying.start(like(trial(0), 3))
    assert list(flying.running) == [0, 1]
    assert len(flying) == 4
    flying.end(trial(1))
    assert [t.number for t in flying.queue] == [9]
    flying.end(trial(0))
    assert [t.number for t in flying.queue] == [2, 3, 9]
    assert len(flying) == 0


def test_what_is_put_back_comes_before_its_twins() -> None:
    flying = TrialQueue([trial(9)])
    flying.start(trial(0))
    flying.start(like(trial(0), 1))
    flying.put_back(trial(0))
    assert [t.number for t in flying.queue] == [0, 1, 9]
    assert not flying.running


def test_another_budget_or_seed_is_no_twin() -> None:
    flying = TrialQueue()
    flying.start(trial(0))
    flying.start(like(trial(0, budget=3.0), 1))
    flying.start(Trial(2, trial(0).configuration, "0", 1.0, seed=1))
    assert list(flying.running) == [0, 1, 2]
