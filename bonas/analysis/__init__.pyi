from .cross_validation import Predictions, cross_validated
from .importance import Importance, hyperparameter_importance, operation_importance

__all__ = [
    "Importance",
    "Predictions",
    "cross_validated",
    "hyperparameter_importance",
    "operation_importance",
]
