from .asynchronous_halving import AsynchronousHalving
from .asynchronous_hyperband import AsynchronousHyperband
from .asynchronous_stopping import AsynchronousStopping
from .curve_stopping import CurveStopping
from .full import FullFidelity
from .halving import SuccessiveHalving
from .hyperband import Hyperband
from .progressive_halving import ProgressiveHalving
from .schedule import Promote, Schedule, ScheduleError, Start, complete, started

__all__ = [
    "AsynchronousHalving",
    "AsynchronousHyperband",
    "AsynchronousStopping",
    "CurveStopping",
    "FullFidelity",
    "Hyperband",
    "ProgressiveHalving",
    "Promote",
    "Schedule",
    "ScheduleError",
    "Start",
    "SuccessiveHalving",
    "complete",
    "started",
]
