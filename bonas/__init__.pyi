from . import plot, runners, strategies, surrogates
from .comparison import Comparison, Setup, compare
from .history import Evaluation, History, Status, Trial
from .search import Search

__all__ = [
    "Comparison",
    "Evaluation",
    "History",
    "Search",
    "Setup",
    "Status",
    "Trial",
    "compare",
    "plot",
    "runners",
    "strategies",
    "surrogates",
]
