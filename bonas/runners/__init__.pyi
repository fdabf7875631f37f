from .in_process import InProcess
from .runner import Runner, busy_share
from .simulated import Simulated

__all__ = ["InProcess", "Runner", "Simulated", "busy_share"]
