from .bayesian import BayesianOptimization
from .differential_evolution import DifferentialEvolution
from .evolution import RegularizedEvolution
from .freeze_thaw import FreezeThaw
from .local_search import LocalSearch
from .multi_fidelity import MultiFidelityBayesianOptimization
from .random_search import RandomSearch
from .smac import SMAC
from .start import StartFrom, best_of
from .strategy import Again, Exhausted, Proposal, Recommender, Strategy

__all__ = [
    "SMAC",
    "Again",
    "BayesianOptimization",
    "DifferentialEvolution",
    "Exhausted",
    "FreezeThaw",
    "LocalSearch",
    "MultiFidelityBayesianOptimization",
    "Proposal",
    "RandomSearch",
    "Recommender",
    "RegularizedEvolution",
    "StartFrom",
    "Strategy",
    "best_of",
]
