"""Faults of Dask clusters."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from distributed import Client, LocalCluster

from bonas import Search, strategies
from bonas.progress import Silent
from bonas.runners import Dask
from fidelity import FullFidelity
from tests.bonas.runners.errands import resuming
from tests.faults.searches import goes_on, searching
from tests.fidelity.trained import SPACE, TRAINING


@pytest.mark.slow
def test_a_dask_worker_that_is_killed_in_mid_training_is_resumed_elsewhere(tmp_path: Path) -> None:
    objective = resuming(tmp_path, 20, lambda: os.kill(os.getpid(), signal.SIGKILL))
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        Dask(client) as runner,
        searching(tmp_path / "search", objective) as search,
    ):
        history = search.run(evaluations=4, runner=runner, progress=Silent())
    assert sorted(e.cost for e in history.evaluations) == [0.0, 1.0, 2.0, 3.0]
    for number in range(4):  # no step was done twice, and none left out
        steps = (tmp_path / f"steps-{number}").read_text().split()
        assert steps == [str(step) for step in range(20)]
    goes_on(tmp_path / "search", 4)


@pytest.mark.slow
def test_dask_workers_train_networks(tmp_path: Path) -> None:
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        Dask(client) as runner,
        Search(
            SPACE,
            TRAINING,
            strategy=strategies.RandomSearch(),
            schedule=FullFidelity(3),
            directory=tmp_path,
        ) as search,
    ):
        history = search.run(evaluations=4, runner=runner, progress=Silent())
    assert len(history) == 4
    assert any(e.succeeded for e in history.evaluations)
