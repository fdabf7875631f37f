from .measure import Latency, MeasuredLatency
from .operations import Operation, operations_of
from .table import LatencyTable
from .timing import Timing

__all__ = [
    "Latency",
    "LatencyTable",
    "MeasuredLatency",
    "Operation",
    "Timing",
    "operations_of",
]
