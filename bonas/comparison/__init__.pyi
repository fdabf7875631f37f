from .compare import compare
from .comparison import Comparison
from .one_run import ComparisonError
from .setup import Setup
from .significance import Significance

__all__ = ["Comparison", "ComparisonError", "Setup", "Significance", "compare"]
