from . import plot, runners, strategies, surrogates
from .history import Evaluation, History, Status, Trial
from .reports.report import report
from .search import Search

__all__ = [
    "Evaluation",
    "History",
    "Search",
    "Status",
    "Trial",
    "plot",
    "report",
    "runners",
    "strategies",
    "surrogates",
]
