from .bayesian import BayesianOptimization
from .differential_evolution import DifferentialEvolution
from .evolution import RegularizedEvolution
from .freeze_thaw import FreezeThaw
from .local_search import LocalSearch
from .logits_policy import LogitsPolicy
from .lstm_policy import LSTMPolicy
from .multi_fidelity import MultiFidelityBayesianOptimization
from .policy import Policy
from .ppo import PPO
from .random_search import RandomSearch
from .reinforce import Reinforce
from .screened import Screened
from .smac import SMAC
from .start import StartFrom, best_of
from .strategy import Again, Exhausted, Proposal, Recommender, Strategy
from .walk import PolicyError

__all__ = [
    "PPO",
    "SMAC",
    "Again",
    "BayesianOptimization",
    "DifferentialEvolution",
    "Exhausted",
    "FreezeThaw",
    "LSTMPolicy",
    "LocalSearch",
    "LogitsPolicy",
    "MultiFidelityBayesianOptimization",
    "Policy",
    "PolicyError",
    "Proposal",
    "RandomSearch",
    "Recommender",
    "RegularizedEvolution",
    "Reinforce",
    "Screened",
    "StartFrom",
    "Strategy",
    "best_of",
]
