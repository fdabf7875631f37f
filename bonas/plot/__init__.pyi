from .anytime import anytime
from .architecture import architecture

__all__ = ["anytime", "architecture"]
