from .earlier import EarlierError
from .knowledge import Knowledge, Source
from .zero_cost import ZeroCost

__all__ = ["EarlierError", "Knowledge", "Source", "ZeroCost"]
