from . import interop, plot, runners, strategies, surrogates
from .estimator import NetworkSearch
from .history import Evaluation, History, Status, Trial
from .reports.report import report
from .search import Search

__all__ = [
    "Evaluation",
    "History",
    "NetworkSearch",
    "Search",
    "Status",
    "Trial",
    "interop",
    "plot",
    "report",
    "runners",
    "strategies",
    "surrogates",
]
