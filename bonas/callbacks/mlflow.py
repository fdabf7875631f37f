"""Costs for MLflow."""

from __future__ import annotations

from bonas.callbacks.callback import Callback
from bonas.callbacks.metrics import metrics_of
from fidelity.history.history import History
from fidelity.history.trial import Evaluation


class MLflow(Callback):
    """Logs each run of a search as an MLflow run in the current experiment.

    The metrics are `cost`, `best` (the incumbent's cost), `budget` and `seconds`; the step is the
    number of evaluations.

    Args:
        name: of the MLflow run; None lets MLflow choose one.

    Raises:
        ImportError: the package mlflow is missing.
    """

    def __init__(self, name: str | None = None) -> None:
        try:
            import mlflow
        except ImportError as error:
            raise ImportError(
                "the callback MLflow needs the package: pip install mlflow"
            ) from error
        self._mlflow = mlflow
        self._name = name

    def on_run_start(self, history: History) -> None:
        """Start an MLflow run."""
        self._mlflow.start_run(run_name=self._name)

    def on_trial_end(self, history: History, evaluation: Evaluation) -> None:
        """See `Callback.on_trial_end`: logs the evaluation."""
        self._mlflow.log_metrics(metrics_of(history, evaluation), step=len(history))

    def on_run_end(self, history: History) -> None:
        """End the MLflow run."""
        self._mlflow.end_run()
