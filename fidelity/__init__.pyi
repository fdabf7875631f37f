from . import axes, datasets, export, latency, proxies, tables
from .datasets.dataset import Dataset
from .history.goal import Constraint, Maximize
from .history.history import History
from .history.trial import Evaluation, Status, Trial
from .latency import Latency, LatencyTable, MeasuredLatency, Timing
from .objective import Context, Diverged, InvalidArchitecture
from .one_shot.one_shot import Inherited, OneShot
from .one_shot.one_shot_then import OneShotThen
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
from .schedules.curve_extrapolation import Extrapolation, extrapolate
from .training.retrain import Final, retrain
from .training.training import Training

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
    "Maximize",
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
