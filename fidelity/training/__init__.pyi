from .networks import trainable_parameters
from .training import CHOOSABLE, SAVE_SECONDS, FinalReport, Training

__all__ = [
    "CHOOSABLE",
    "SAVE_SECONDS",
    "FinalReport",
    "Training",
    "trainable_parameters",
]
