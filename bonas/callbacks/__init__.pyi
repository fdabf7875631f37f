from .callback import Callback, StopRun
from .mlflow import MLflow
from .tensorboard import TensorBoard

__all__ = [
    "Callback",
    "MLflow",
    "StopRun",
    "TensorBoard",
]
