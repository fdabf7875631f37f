from . import callbacks, interop, plot, runners, strategies, surrogates
from .comparison import Comparison, Setup, compare
from .estimator import NetworkSearch
from .history import Evaluation, History, Status, Trial
from .importance import Importance, hyperparameter_importance, operation_importance
from .reports.report import report
from .search import Search

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
