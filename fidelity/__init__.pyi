from . import axes, datasets, export, latency, proxies, tables
from .curves import Extrapolation, extrapolate
from .data import Dataset
from .final import Final, retrain
from .history import History
from .latency import Latency, LatencyTable, MeasuredLatency, Timing
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
    "Final",
    "FullFidelity",
    "History",
    "Hyperband",
    "Inherited",
    "InvalidArchitecture",
    "Latency",
    "LatencyTable",
    "MeasuredLatency",
    "OneShot",
    "OneShotThen",
    "ProgressiveHalving",
    "Status",
    "SuccessiveHalving",
    "Timing",
    "Training",
    "Trial",
    "axes",
    "datasets",
    "export",
    "extrapolate",
    "latency",
    "proxies",
    "retrain",
    "tables",
]
