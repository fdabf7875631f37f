from .optuna import from_study, to_study
from .smac import from_runhistory, to_runhistory

__all__ = ["from_runhistory", "from_study", "to_runhistory", "to_study"]
