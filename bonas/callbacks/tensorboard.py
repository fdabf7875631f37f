"""Costs and learning curves for TensorBoard."""

from __future__ import annotations

from pathlib import Path

from bonas.callbacks.callback import Callback
from bonas.callbacks.metrics import metrics_of
from fidelity.history.history import History
from fidelity.history.trial import Evaluation


class TensorBoard(Callback):
    """Writes event files for `tensorboard --logdir DIRECTORY`.

    `cost`, `best` (the incumbent's cost), `budget` and `seconds` are plotted against the number of
    evaluations, `curve/trial-N` against the budget.

    Args:
        directory: of the event files.

    Raises:
        ImportError: the package tensorboard is missing.
    """

    def __init__(self, directory: str | Path) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError as error:
            raise ImportError(
                "the callback TensorBoard needs the package: pip install tensorboard"
            ) from error
        self._writer = SummaryWriter(str(directory))

    def on_trial_end(self, history: History, evaluation: Evaluation) -> None:
        """See `Callback.on_trial_end`: writes the evaluation and its learning curve."""
        step, trial = len(history), evaluation.trial
        for name, value in metrics_of(history, evaluation).items():
            self._writer.add_scalar(name, value, step)
        for epochs, cost in evaluation.curve:
            self._writer.add_scalar(f"curve/trial-{trial.number}", cost, round(epochs))

    def on_run_end(self, history: History) -> None:
        """Flush the event files; another run may append to them."""
        self._writer.flush()
