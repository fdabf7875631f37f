from .dask import Dask
from .in_process import InProcess
from .local_processes import LocalProcesses
from .runner import Attended, Pollable, Runner, busy_share
from .simulated import Simulated
from .trial_limits import TrialLimits

__all__ = [
    "Attended",
    "Dask",
    "InProcess",
    "LocalProcesses",
    "Pollable",
    "Runner",
    "Simulated",
    "TrialLimits",
    "busy_share",
]
