"""Faults of Dask clusters."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
from ConfigSpace import Configuration
from distributed import Client, LocalCluster

import bonas.runners.dask
import fidelity.training.training
from bonas import Search, strategies
from bonas.runners import Dask
from bonas.search.progress import Silent
from fidelity import Context, FullFidelity, Hyperband, Training
from tests.bonas.runners.fakes import trial
from tests.bonas.runners.worker_objectives import resuming
from tests.bonas.spaces import cells
from tests.faults.searches import goes_on, plain, searching
from tests.fidelity.trained import DATASET, SPACE, TRAINING


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
        steps = (tmp_path / f"steps-{number}").read_text(encoding="utf-8").split()
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


def test_without_any_worker_the_search_waits_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(bonas.runners.dask, "NO_WORKER_WARNING_SECONDS", 0.1)
    with (
        LocalCluster(n_workers=0, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        Dask(client) as runner,
    ):
        runner.submit(plain, trial(3), Context())
        assert runner.poll(1.5) is None
        assert "there has been no Dask worker for 0.1 seconds: waiting for one" in caplog.text
        cluster.scale(1)
        assert runner.wait().cost == 3.0


@dataclass(frozen=True)
class Dying:
    """A training whose worker is killed once, after two epochs of a trial that goes further."""

    training: Training
    marker: Path

    @property
    def max_budget(self) -> float:
        return self.training.max_budget

    def __call__(
        self, configuration: Configuration, budget: float, seed: int, context: Context
    ) -> dict[str, float]:
        fidelity.training.training.SAVE_SECONDS = 0.0  # in the worker: one per epoch
        if budget == 9 and not self.marker.exists():
            context = replace(context)
            context.report = self._dies(context)  # type: ignore[method-assign]
        return self.training(configuration, budget, seed, context)

    def _dies(self, context: Context) -> Callable[[float, float], None]:
        def report(step: float, cost: float) -> None:
            context.curve.append((step, cost))
            if step >= 6:
                self.marker.write_text(
                    f"{os.getpid()} {context.checkpoint.target}", encoding="utf-8"
                )
                os.kill(os.getpid(), signal.SIGKILL)

        return report


@pytest.mark.slow
def test_the_search_of_the_demo_survives_a_killed_dask_worker(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    training = Training(cells(), DATASET, max_epochs=9, batch_size=32, device="cpu")
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        Dask(client) as runner,
        Search(
            training.space,
            Dying(training, marker),
            strategy=strategies.BayesianOptimization(),
            schedule=Hyperband(1, 9),
            directory=tmp_path / "search",
        ) as search,
    ):
        history = search.run(evaluations=25, runner=runner, progress=Silent())
    killed, target = marker.read_text(encoding="utf-8").split()
    number = int(Path(target).stem.removeprefix("trial-"))
    resumed = history.evaluation(number)
    assert resumed is not None
    assert resumed.succeeded
    assert resumed.trial.budget == 9
    assert resumed.metrics["epochs"] == 9
    assert resumed.metrics["resumed_from"] >= 5  # of its own checkpoint: its parent's is of 3
    assert not psutil.pid_exists(int(killed))
    numbers = [e.trial.number for e in history.evaluations]
    assert len(set(numbers)) == len(numbers) == 25
