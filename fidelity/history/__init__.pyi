from .goal import COST, LARGEST_VIOLATION, Computed, Constraint, Goal, GoalError, Maximize
from .history import History
from .journal import Journal, JournalError
from .scores import Scored, Scores
from .trial import Evaluation, Status, Trial

__all__ = [
    "COST",
    "LARGEST_VIOLATION",
    "Computed",
    "Constraint",
    "Evaluation",
    "Goal",
    "GoalError",
    "History",
    "Journal",
    "JournalError",
    "Maximize",
    "Scored",
    "Scores",
    "Status",
    "Trial",
]
