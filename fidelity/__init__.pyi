from . import axes, datasets
from .curves import Extrapolation, extrapolate
from .data import Dataset
from .history import History
from .objective import Context, Diverged, InvalidArchitecture
from .schedules import CurveStopping, FullFidelity, Hyperband, SuccessiveHalving
from .training import Training
from .trial import Evaluation, Status, Trial

__all__ = [
    "Context",
    "CurveStopping",
    "Dataset",
    "Diverged",
    "Evaluation",
    "Extrapolation",
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
    "extrapolate",
]
