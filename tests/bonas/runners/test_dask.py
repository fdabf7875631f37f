from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dask.config
import pytest
from ConfigSpace import Configuration
from distributed import Client, LocalCluster

from bonas.runners.dask import Dask, SchedulerLost
from bonas.runners.runner import Runner
from bonas.runners.trial_limits import TrialLimits
from fidelity.checkpoint import Checkpoint
from fidelity.objective import Context, ObjectiveError
from tests.bonas.runners.contract import PollableContract
from tests.bonas.runners.fakes import made, run, taking, trial
from tests.bonas.runners.test_local_processes import Foreign, Loading, where
from tests.bonas.runners.worker_objectives import eventually, gone, resuming, starting, stuck


def cluster(workers: int, **settings: Any) -> LocalCluster:
    return LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0", **settings)


@pytest.fixture(scope="module")
def shared() -> Iterator[Client]:
    """Of a cluster of one worker process, which is started anew when a test kills it."""
    with cluster(1) as made_cluster, Client(made_cluster) as made_client:
        yield made_client


@pytest.fixture
def client(shared: Client) -> Client:
    """The same, once its worker is there: the last test may have killed it just now."""
    eventually(lambda: answering(shared), "a worker")
    return shared


def answering(client: Client) -> bool:
    """Whether a worker answers; the scheduler takes a while to notice that one is dead."""
    try:
        return bool(client.run(os.getpid, on_error="ignore"))
    except OSError:
        return False


@pytest.fixture
def runner(client: Client) -> Iterator[Dask]:
    with Dask(client) as made_runner:
        yield made_runner


class TestDask(PollableContract):
    @pytest.fixture(autouse=True)
    def _one(self, runner: Dask) -> None:
        self.one = runner

    def make(self) -> Runner:
        return self.one


def test_a_worker_keeps_the_objective_between_trials(runner: Dask) -> None:
    history = run(made(Loading()), runner, evaluations=3)
    assert {e.metrics["loaded"] for e in history.evaluations} == {1}
    assert [e.metrics["calls"] for e in history.evaluations] == [1, 2, 3]


def test_what_is_cancelled_is_killed(runner: Dask, tmp_path: Path) -> None:
    runner.submit(stuck(tmp_path), trial(0), Context())
    eventually(
        lambda: (tmp_path / "0").exists() and (tmp_path / "0").read_text(encoding="utf-8"),
        "the trial",
    )
    runner.cancel()
    process = int((tmp_path / "0").read_text(encoding="utf-8"))
    eventually(lambda: gone(process), "its end")
    assert gone(process)


def test_a_worker_that_is_killed_gives_its_trial_back(runner: Dask, tmp_path: Path) -> None:
    fault = resuming(tmp_path, 6, lambda: os.kill(os.getpid(), signal.SIGKILL))
    runner.submit(fault, trial(0), Context(Checkpoint(target=tmp_path / "trial-0.pt")))
    assert runner.wait().cost == 0.0
    assert (tmp_path / "steps-0").read_text(encoding="utf-8").split() == [
        "0",
        "1",
        "2",
        "3",
        "4",
        "5",
    ]


def test_a_trial_that_kills_its_workers_is_lost_in_the_end(client: Client) -> None:
    with Dask(client, retries=0) as runner:
        runner.submit(lambda configuration: os._exit(7), trial(0), Context())
        evaluation = runner.wait()
        assert evaluation.status == "lost"
        assert "the worker of trial 0 was lost (1 time)" in str(evaluation.error)
        runner.submit(taking(1.0), trial(1), Context())
        assert runner.wait().cost == 1.0


def test_a_worker_gets_time_to_restart() -> None:
    """A cluster closes the nanny of a worker that is not back in time, and never replaces it."""
    with (
        dask.config.set({"distributed.deploy.lost-worker-timeout": "10ms"}),
        cluster(1) as own,
        Client(own) as client,
        Dask(client, retries=0) as runner,
    ):
        runner.submit(lambda configuration: os._exit(7), trial(0), Context())
        assert runner.wait().status == "lost"
        runner.submit(taking(1.0), trial(1), Context())
        assert runner.wait().cost == 1.0
        assert len(own.workers) == 1


def test_a_trial_over_its_seconds_is_ended(client: Client, tmp_path: Path) -> None:
    with Dask(client, limits=TrialLimits(seconds=1.0)) as runner:
        runner.submit(stuck(tmp_path), trial(0), Context())
        evaluation = runner.wait()
    assert evaluation.status == "timeout"
    assert "its limit is 1" in str(evaluation.error)


def test_what_a_trial_started_in_a_session_of_its_own_ends_with_it(tmp_path: Path) -> None:
    with cluster(1) as own, Client(own) as client, Dask(client) as runner:
        runner.submit(starting(tmp_path), trial(0), Context())
        eventually((tmp_path / "child").exists, "the child")
        runner.cancel()
        child = int((tmp_path / "child").read_text(encoding="utf-8"))
        eventually(lambda: gone(child), "the end of the child", seconds=60)
        assert gone(child)


def test_an_objective_that_cannot_be_loaded_is_refused(runner: Dask) -> None:
    with pytest.raises(ObjectiveError, match="cannot be set up on the Dask workers"):
        runner.submit(Foreign(), trial(0), Context())


def test_each_trial_takes_a_gpu_where_workers_declare_them() -> None:
    with (
        cluster(1, resources={"GPU": 1}) as declaring,
        Client(declaring) as client,
        Dask(client) as runner,
    ):
        runner.submit(where, trial(0), Context())
        assert runner.wait().metrics["device"] == "cuda"


def test_workers_join_and_leave() -> None:
    def process(configuration: Configuration) -> dict[str, float]:
        return {"cost": 1.0, "process": os.getpid()}

    with cluster(0) as growing, Client(growing) as client, Dask(client) as runner:
        assert runner.workers == 1  # that one waits for
        runner.submit(process, trial(0), Context())
        growing.scale(2)
        assert runner.wait().cost == 1.0
        eventually(lambda: runner.workers == 2, "the second worker")
        history = run(made(process), runner, evaluations=6)
        assert len({e.metrics["process"] for e in history.evaluations}) == 2
        growing.scale(1)
        eventually(lambda: runner.workers == 1, "the leaving")
        assert len(run(made(process), runner, evaluations=2)) == 2


def test_a_lost_scheduler_is_an_error_and_nothing_that_ended_is_lost(tmp_path: Path) -> None:
    with cluster(1) as dying, Client(dying) as client, Dask(client) as runner:
        search = made(stuck_after_two(tmp_path, os.getpid()))
        eventually(lambda: client.status == "running", "the client")
        dying_now = dying

        def close() -> None:
            eventually((tmp_path / "2").exists, "the third trial")
            dying_now.sync(dying_now.scheduler.close)

        import threading

        thread = threading.Thread(target=close)
        thread.start()
        with pytest.raises(SchedulerLost, match="is gone: the history holds all results until"):
            run(search, runner, evaluations=5)
        thread.join()
        assert [e.cost for e in search.history.evaluations] == [0.0, 1.0]


def stuck_after_two(directory: Path, process: int) -> Any:
    endless = stuck(directory)

    def objective(configuration: Configuration) -> float:
        number = int(configuration["number"])
        return endless(configuration) if number == 2 else float(number)

    return objective


def test_bad_numbers_are_refused(client: Client) -> None:
    with pytest.raises(ValueError, match="retries is 0 or more"):
        Dask(client, retries=-1)
