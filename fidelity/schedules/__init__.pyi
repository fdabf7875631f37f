from .full import FullFidelity
from .halving import SuccessiveHalving
from .hyperband import Hyperband
from .schedule import Promote, Schedule, ScheduleError, Start

__all__ = [
    "FullFidelity",
    "Hyperband",
    "Promote",
    "Schedule",
    "ScheduleError",
    "Start",
    "SuccessiveHalving",
]
