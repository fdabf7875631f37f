from . import axes, datasets, export, latency, proxies, tables, tasks
from .datasets.dataset import Dataset
from .history.goal import Constraint, Maximize
from .history.history import History
from .history.trial import Evaluation, Status, Trial
from .latency import Latency, LatencyTable, MeasuredLatency, Timing
from .mixing import CutMix, Mixup
from .objective import Context, Diverged, InvalidArchitecture, ProcessLost
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
from .training.curves import Constant, Cosine, Linear, OneCycle
from .training.distributed.distributed import Distributed
from .training.optimizers import SGD, AdamW, TorchOptimizer
from .training.retrain import Final, retrain
from .training.training import Training

__all__ = [
    "SGD",
    "AdamW",
    "AsynchronousHalving",
    "AsynchronousHyperband",
    "AsynchronousStopping",
    "Constant",
    "Constraint",
    "Context",
    "Cosine",
    "CurveStopping",
    "CutMix",
    "Dataset",
    "Distributed",
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
    "Linear",
    "Maximize",
    "MeasuredLatency",
    "Mixup",
    "OneCycle",
    "OneShot",
    "OneShotThen",
    "ProcessLost",
    "ProgressiveHalving",
    "Status",
    "SuccessiveHalving",
    "Timing",
    "TorchOptimizer",
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
    "tasks",
]
