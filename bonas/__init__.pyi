from . import callbacks, plot, runners, strategies, surrogates
from .comparison import Comparison, Setup, compare
from .history import Evaluation, History, Status, Trial
from .importance import Importance, hyperparameter_importance, operation_importance
from .search import Search

__all__ = [
    "Comparison",
    "Evaluation",
    "History",
    "Importance",
    "Search",
    "Setup",
    "Status",
    "Trial",
    "callbacks",
    "compare",
    "hyperparameter_importance",
    "operation_importance",
    "plot",
    "runners",
    "strategies",
    "surrogates",
]
