from .bayesian import BayesianOptimization
from .differential_evolution import DifferentialEvolution
from .evolution import RegularizedEvolution
from .freeze_thaw import FreezeThaw
from .gradient.bilevel import Bilevel
from .gradient.darts import DARTS
from .gradient.drnas import DrNAS
from .gradient.early_stop import SkipConnections, StableCell, ValidationLoss
from .gradient.gdas import GDAS
from .gradient.hypergradient import FirstOrder, SecondOrder
from .gradient.relaxation import HardGumbel
from .gradient.search_trace import CollapseWarning, Trace
from .gradient.single_path import SinglePathOneShot
from .local_search import LocalSearch
from .multi_fidelity import MultiFidelityBayesianOptimization
from .multi_objective import MultiObjectiveBayesianOptimization
from .nsga2 import NSGA2
from .parego import ParEGO
from .random_search import RandomSearch
from .reinforcement.logits_policy import LogitsPolicy
from .reinforcement.lstm_policy import LSTMPolicy
from .reinforcement.policy import Policy
from .reinforcement.ppo import PPO
from .reinforcement.reinforce import Reinforce
from .reinforcement.walk import PolicyError
from .screened import Screened
from .smac import SMAC
from .spending import Spending, budget_spent, seconds_spent
from .strategy import Again, Exhausted, Proposal, Recommender, Startable, Strategy, started
from .warm_start import StartFrom, best_of

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
    "DrNAS",
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
    "SinglePathOneShot",
    "SkipConnections",
    "Spending",
    "StableCell",
    "StartFrom",
    "Startable",
    "Strategy",
    "Trace",
    "ValidationLoss",
    "best_of",
    "budget_spent",
    "seconds_spent",
    "started",
]
