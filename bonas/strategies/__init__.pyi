from .bayesian import BayesianOptimization
from .bilevel import Bilevel
from .darts import DARTS
from .differential_evolution import DifferentialEvolution
from .early_stop import SkipConnections, StableCell, ValidationLoss
from .evolution import RegularizedEvolution
from .freeze_thaw import FreezeThaw
from .gdas import GDAS, HardGumbel
from .hypergradient import FirstOrder, SecondOrder
from .local_search import LocalSearch
from .logits_policy import LogitsPolicy
from .lstm_policy import LSTMPolicy
from .multi_fidelity import MultiFidelityBayesianOptimization
from .multi_objective import MultiObjectiveBayesianOptimization
from .nsga2 import NSGA2
from .parego import ParEGO
from .policy import Policy
from .ppo import PPO
from .random_search import RandomSearch
from .reinforce import Reinforce
from .screened import Screened
from .search_trace import CollapseWarning, Trace
from .smac import SMAC
from .start import StartFrom, best_of
from .strategy import Again, Exhausted, Proposal, Recommender, Strategy
from .walk import PolicyError

__all__ = [
    "DARTS",
    "GDAS",
    "NSGA2",
    "PPO",
    "SMAC",
    "Again",
    "BayesianOptimization",
    "Bilevel",
    "CollapseWarning",
    "DifferentialEvolution",
    "Exhausted",
    "FirstOrder",
    "FreezeThaw",
    "HardGumbel",
    "LSTMPolicy",
    "LocalSearch",
    "LogitsPolicy",
    "MultiFidelityBayesianOptimization",
    "MultiObjectiveBayesianOptimization",
    "ParEGO",
    "Policy",
    "PolicyError",
    "Proposal",
    "RandomSearch",
    "Recommender",
    "RegularizedEvolution",
    "Reinforce",
    "Screened",
    "SecondOrder",
    "SkipConnections",
    "StableCell",
    "StartFrom",
    "Strategy",
    "Trace",
    "ValidationLoss",
    "best_of",
]
