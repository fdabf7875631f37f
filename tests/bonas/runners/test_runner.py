import pytest

from bonas.runners.in_process import InProcess
from bonas.runners.local_processes import LocalProcesses
from bonas.runners.runner import Pollable, busy_share
from bonas.runners.simulated import Simulated
from fidelity.history.history import History
from tests.bonas.runners.fakes import Numbers, made, run, taking


def test_the_share_of_busy_workers_by_hand() -> None:
    # Trials 0 and 1 run until 5 and 3, trial 2 from 3 to 9, trial 3 from 5 to 7.
    history = run(made(taking(5.0, 3.0, 6.0, 2.0)), Simulated(2), evaluations=4)
    assert busy_share(history, 2) == 1.0  # the last evaluation starts at 5: before that none idles
    assert busy_share(history, 4) == 0.5


def test_known_results_keep_nobody_busy() -> None:
    history = run(made(taking(4.0), repeats=2), Simulated(1), evaluations=4)
    assert [e.reused for e in history.evaluations] == [None, 0, None, 2]
    assert busy_share(history, 1) == 1.0


@pytest.mark.parametrize("workers", [1, 3])
def test_nobody_is_idle_in_an_empty_history(workers: int) -> None:
    assert busy_share(History(Numbers.configuration_space), workers) == 1.0


def test_only_workers_in_real_time_are_attended_to() -> None:
    assert not isinstance(InProcess(), Pollable)
    assert not isinstance(Simulated(4), Pollable)
    assert isinstance(LocalProcesses(2), Pollable)
