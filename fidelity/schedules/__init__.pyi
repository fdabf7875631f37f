from .extrapolation import CurveStopping
from .full import FullFidelity
from .halving import SuccessiveHalving
from .hyperband import Hyperband
from .schedule import Promote, Schedule, ScheduleError, Start

__all__ = [
    "CurveStopping",
    "FullFidelity",
    "Hyperband",
    "Promote",
    "Schedule",
    "ScheduleError",
    "Start",
    "SuccessiveHalving",
]
