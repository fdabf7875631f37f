from .callback import Callback, StopRun
from .mlflow import MLflow
from .tensorboard import TensorBoard
from .wandb import WandB

__all__ = [
    "Callback",
    "MLflow",
    "StopRun",
    "TensorBoard",
    "WandB",
]
