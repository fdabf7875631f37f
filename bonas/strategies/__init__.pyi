from .bayesian import BayesianOptimization
from .freeze_thaw import FreezeThaw
from .multi_fidelity import MultiFidelityBayesianOptimization
from .random_search import RandomSearch
from .screened import Screened
from .smac import SMAC
from .start import StartFrom, best_of
from .strategy import Again, Exhausted, Proposal, Recommender, Strategy

__all__ = [
    "SMAC",
    "Again",
    "BayesianOptimization",
    "Exhausted",
    "FreezeThaw",
    "MultiFidelityBayesianOptimization",
    "Proposal",
    "RandomSearch",
    "Recommender",
    "Screened",
    "StartFrom",
    "Strategy",
    "best_of",
]
