from .bayesian import BayesianOptimization
from .random_search import RandomSearch
from .strategy import Again, Exhausted, Proposal, Recommender, Strategy

__all__ = [
    "Again",
    "BayesianOptimization",
    "Exhausted",
    "Proposal",
    "RandomSearch",
    "Recommender",
    "Strategy",
]
