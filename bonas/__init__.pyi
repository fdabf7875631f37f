from . import callbacks, interop, plot, runners, strategies, surrogates
from .analysis.importance import Importance, hyperparameter_importance, operation_importance
from .comparison import Comparison, Setup, compare
from .history import Evaluation, History, Status, Trial
from .reports.report import report
from .search.search import Search
from .sklearn import NetworkSearch

__all__ = [
    "Comparison",
    "Evaluation",
    "History",
    "Importance",
    "NetworkSearch",
    "Search",
    "Setup",
    "Status",
    "Trial",
    "callbacks",
    "compare",
    "hyperparameter_importance",
    "interop",
    "operation_importance",
    "plot",
    "report",
    "runners",
    "strategies",
    "surrogates",
]
