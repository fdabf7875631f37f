from . import callbacks, plot, runners, strategies, surrogates
from .history import Evaluation, History, Status, Trial
from .search import Search

__all__ = [
    "Evaluation",
    "History",
    "Search",
    "Status",
    "Trial",
    "callbacks",
    "plot",
    "runners",
    "strategies",
    "surrogates",
]
