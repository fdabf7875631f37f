from . import axes, datasets, proxies, tables
from .curves import Extrapolation, extrapolate
from .data import Dataset
from .history import History
from .objective import Context, Diverged, InvalidArchitecture
from .one_shot import Inherited, OneShot
from .one_shot_then import OneShotThen
from .schedules import (
    AsynchronousHalving,
    AsynchronousHyperband,
    AsynchronousStopping,
    CurveStopping,
    FullFidelity,
    Hyperband,
    ProgressiveHalving,
    SuccessiveHalving,
)
from .target import Constraint
from .training import Training
from .trial import Evaluation, Status, Trial

__all__ = [
    "AsynchronousHalving",
    "AsynchronousHyperband",
    "AsynchronousStopping",
    "Constraint",
    "Context",
    "CurveStopping",
    "Dataset",
    "Diverged",
    "Evaluation",
    "Extrapolation",
    "FullFidelity",
    "History",
    "Hyperband",
    "Inherited",
    "InvalidArchitecture",
    "OneShot",
    "OneShotThen",
    "ProgressiveHalving",
    "Status",
    "SuccessiveHalving",
    "Training",
    "Trial",
    "axes",
    "datasets",
    "extrapolate",
    "proxies",
    "tables",
]
