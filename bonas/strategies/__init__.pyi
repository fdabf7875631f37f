from .bayesian import BayesianOptimization
from .bilevel import Bilevel
from .darts import DARTS
from .early_stop import SkipConnections, StableCell, ValidationLoss
from .freeze_thaw import FreezeThaw
from .gdas import GDAS, HardGumbel
from .hypergradient import FirstOrder, SecondOrder
from .multi_fidelity import MultiFidelityBayesianOptimization
from .random_search import RandomSearch
from .search_trace import CollapseWarning, Trace
from .smac import SMAC
from .start import StartFrom, best_of
from .strategy import Again, Exhausted, Proposal, Recommender, Strategy

__all__ = [
    "DARTS",
    "GDAS",
    "SMAC",
    "Again",
    "BayesianOptimization",
    "Bilevel",
    "CollapseWarning",
    "Exhausted",
    "FirstOrder",
    "FreezeThaw",
    "HardGumbel",
    "MultiFidelityBayesianOptimization",
    "Proposal",
    "RandomSearch",
    "Recommender",
    "SecondOrder",
    "SkipConnections",
    "StableCell",
    "StartFrom",
    "Strategy",
    "Trace",
    "ValidationLoss",
    "best_of",
]
