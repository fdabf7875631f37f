from . import axes, datasets
from .data import Dataset
from .history import History
from .objective import Context, Diverged, InvalidArchitecture
from .schedules import FullFidelity, Hyperband, SuccessiveHalving
from .training import Training
from .trial import Evaluation, Status, Trial

__all__ = [
    "Context",
    "Dataset",
    "Diverged",
    "Evaluation",
    "FullFidelity",
    "History",
    "Hyperband",
    "InvalidArchitecture",
    "Status",
    "SuccessiveHalving",
    "Training",
    "Trial",
    "axes",
    "datasets",
]
