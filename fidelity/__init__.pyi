from . import datasets, tables
from .data import Dataset
from .history import History
from .objective import Context, Diverged, InvalidArchitecture
from .schedules import (
    AsynchronousHalving,
    AsynchronousHyperband,
    AsynchronousStopping,
    FullFidelity,
    Hyperband,
    ProgressiveHalving,
    SuccessiveHalving,
)
from .training import Training
from .trial import Evaluation, Status, Trial

__all__ = [
    "AsynchronousHalving",
    "AsynchronousHyperband",
    "AsynchronousStopping",
    "Context",
    "Dataset",
    "Diverged",
    "Evaluation",
    "FullFidelity",
    "History",
    "Hyperband",
    "InvalidArchitecture",
    "ProgressiveHalving",
    "Status",
    "SuccessiveHalving",
    "Training",
    "Trial",
    "datasets",
    "tables",
]
