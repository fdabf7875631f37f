from .callback import Callback
from .mlflow import MLflow
from .tensorboard import TensorBoard

__all__ = [
    "Callback",
    "MLflow",
    "TensorBoard",
]
