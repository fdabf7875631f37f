from .classification import Classification
from .distillation import Distillation
from .multi_label import MultiLabel
from .next_token import NextToken
from .own_task import OwnTask
from .regression import Regression
from .segmentation import Segmentation
from .task import Criterion, DataError, Measure, Tally, Task

__all__ = [
    "Classification",
    "Criterion",
    "DataError",
    "Distillation",
    "Measure",
    "MultiLabel",
    "NextToken",
    "OwnTask",
    "Regression",
    "Segmentation",
    "Tally",
    "Task",
]
