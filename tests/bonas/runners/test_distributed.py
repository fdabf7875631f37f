"""A trial of several processes, under the runners that retry trials."""

from __future__ import annotations

import dataclasses
import os
import signal
from pathlib import Path

import psutil
import pytest
from distributed import Client, LocalCluster

from bonas.runners.dask import Dask
from bonas.runners.local_processes import LocalProcesses
from bonas.runners.runner import Runner
from fidelity.checkpoint import Checkpoint
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.objective import Context
from fidelity.training.distributed import Distributed
from tests.bonas.runners.worker_objectives import eventually, gone
from tests.fidelity.trained import TRAINING
from tests.fidelity.training.distributed.spaces import Saving, Struck

SPACE = Saving(8)


def struck(folder: Path, rank: int, number: int = signal.SIGKILL) -> Distributed:
    """A training that is broken in the fourth epoch."""
    augment = (Struck(folder, rank, calls=10, number=number),)
    return Distributed(dataclasses.replace(TRAINING, space=SPACE, augment=augment), 2)


def started(runner: Runner, objective: Distributed, folder: Path) -> None:
    trial = Trial(3, SPACE.of("convolution"), "key", 6.0)
    runner.submit(objective, trial, Context(Checkpoint(target=folder / "trial-3.pt")))


def assert_resumed(evaluation: Evaluation, caplog: pytest.LogCaptureFixture) -> None:
    assert evaluation.status is Status.SUCCESS, evaluation.error
    assert evaluation.metrics["resumed_from"] == 3
    assert [step for step, _ in evaluation.curve] == [1, 2, 3, 4, 5, 6]
    assert "was lost (1 time): rank 1 of 2 was killed by signal 9, SIGKILL; retrying" in caplog.text


def test_a_rank_that_dies_costs_no_trial(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with LocalProcesses(1) as runner:
        started(runner, struck(tmp_path, rank=1), tmp_path)
        assert_resumed(runner.wait(), caplog)


def test_a_rank_that_dies_too_often_fails_the_trial(tmp_path: Path) -> None:
    with LocalProcesses(1, retries=0) as runner:
        started(runner, struck(tmp_path, rank=0), tmp_path)
        evaluation = runner.wait()
        children = psutil.Process(runner.pids[0]).children()
    assert evaluation.status is Status.LOST
    assert "the worker of trial 3 was lost (1 time): rank 0 of 2 was killed" in str(
        evaluation.error
    )
    assert children == []


def test_no_rank_outlives_its_worker(tmp_path: Path) -> None:
    with LocalProcesses(1) as runner:
        started(runner, struck(tmp_path, rank=1, number=0), tmp_path)
        eventually((tmp_path / "struck").exists, "a training")
        ranks = [child.pid for child in psutil.Process(runner.pids[0]).children()]
        os.kill(runner.pids[0], signal.SIGKILL)
        evaluation = runner.wait()
    assert len(ranks) == 2
    assert evaluation.metrics["resumed_from"] == 3
    eventually(lambda: all(map(gone, ranks)), "the end of the ranks")


def test_a_rank_on_a_cluster_that_dies_costs_no_trial(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        Dask(client) as runner,
    ):
        started(runner, struck(tmp_path, rank=1), tmp_path)
        assert_resumed(runner.wait(), caplog)
