from .training import HYPERPARAMETERS, SAVE_SECONDS, FinalReport, Training, trainable_parameters

__all__ = [
    "HYPERPARAMETERS",
    "SAVE_SECONDS",
    "FinalReport",
    "Training",
    "trainable_parameters",
]
