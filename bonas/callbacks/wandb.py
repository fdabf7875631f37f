"""Costs for Weights & Biases."""

from __future__ import annotations

from typing import Any

from bonas.callbacks.callback import Callback
from bonas.callbacks.metrics import metrics_of
from fidelity.history.history import History
from fidelity.history.trial import Evaluation


class WandB(Callback):
    """Logs each run of a search as a run of Weights & Biases.

    It logs `cost`, `best` (the incumbent's cost), `budget` and `seconds`; the step is the number of
    evaluations. The environment of W&B applies: `WANDB_MODE=offline` writes to `WANDB_DIR` without
    a network connection, for `wandb sync` later.

    Args:
        project: of the run; None means the default one.
        name: of the run; None lets W&B choose one.

    Raises:
        ImportError: the package wandb is missing.
    """

    def __init__(self, project: str | None = None, name: str | None = None) -> None:
        try:
            import wandb
        except ImportError as error:
            raise ImportError("the callback WandB needs the package: pip install wandb") from error
        self._wandb: Any = wandb
        self._project, self._name = project, name
        self._run: Any = None

    def on_run_start(self, history: History) -> None:
        """Start a W&B run."""
        self._run = self._wandb.init(project=self._project, name=self._name)

    def on_trial_end(self, history: History, evaluation: Evaluation) -> None:
        """See `Callback.on_trial_end`: logs the evaluation."""
        self._run.log(metrics_of(history, evaluation), step=len(history))

    def on_run_end(self, history: History) -> None:
        """Finish the W&B run."""
        self._run.finish()
