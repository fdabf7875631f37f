from .compare import compare
from .comparison import Comparison
from .setup import ComparisonError, Setup
from .significance import Significance

__all__ = ["Comparison", "ComparisonError", "Setup", "Significance", "compare"]
