from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
from ConfigSpace import Configuration

from bonas.callbacks import MLflow
from bonas.search.progress import Silent
from tests.faults.searches import searching


class Fake(ModuleType):
    """What the callback uses of MLflow."""

    def __init__(self) -> None:
        super().__init__("mlflow")
        self.said: list[object] = []

    def start_run(self, run_name: str | None) -> None:
        self.said.append(("start", run_name))

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        self.said.append((step, {k: v for k, v in metrics.items() if k != "seconds"}))

    def end_run(self) -> None:
        self.said.append("end")


def objective(configuration: Configuration) -> float:
    if int(configuration["number"]) == 1:
        raise ValueError("broken")
    return 5.0 - configuration["number"]


def test_a_run_is_a_run_of_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake()
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    with searching(tmp_path, objective) as made:
        made.run(evaluations=3, progress=Silent(), callbacks=[MLflow("mine")])
    assert fake.said == [
        ("start", "mine"),
        (1, {"budget": 1.0, "cost": 5.0, "best": 5.0}),
        (2, {"budget": 1.0, "best": 5.0}),
        (3, {"budget": 1.0, "cost": 3.0, "best": 3.0}),
        "end",
    ]


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(ImportError, match="pip install mlflow"):
        MLflow()


@pytest.mark.filterwarnings("ignore")  # the package warns about itself
def test_a_real_file_store_holds_every_evaluation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mlflow = pytest.importorskip("mlflow", reason="the package mlflow is not installed")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # later versions ask for it
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri((tmp_path / "store").as_uri())
    try:
        mlflow.set_experiment("bonas")
        with searching(tmp_path / "search", objective) as made:
            made.run(evaluations=3, progress=Silent(), callbacks=[MLflow("mine")])
        client = mlflow.MlflowClient()
        experiment = client.get_experiment_by_name("bonas")
        (run,) = client.search_runs([experiment.experiment_id])
        names = ("cost", "best", "budget", "seconds")
        of_run = {name: client.get_metric_history(run.info.run_id, name) for name in names}
        logged = {name: [(each.step, each.value) for each in of] for name, of in of_run.items()}
    finally:
        mlflow.set_tracking_uri(before)
    assert (run.info.run_name, run.info.status) == ("mine", "FINISHED")
    assert logged["cost"] == [(1, 5.0), (3, 3.0)]
    assert logged["best"] == [(1, 5.0), (2, 5.0), (3, 3.0)]
    assert logged["budget"] == [(1, 1.0), (2, 1.0), (3, 1.0)]
    assert len(logged["seconds"]) == 3
