from .networks import trainable_parameters
from .training import HYPERPARAMETERS, SAVE_SECONDS, FinalReport, Training

__all__ = [
    "HYPERPARAMETERS",
    "SAVE_SECONDS",
    "FinalReport",
    "Training",
    "trainable_parameters",
]
