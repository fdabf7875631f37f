from .ensemble import Ensemble
from .forest import RandomForest
from .gaussian_process import GaussianProcess
from .kernel import ConfigurationView, FeatureView, GraphView, PathView
from .surrogate import Surrogate, Tunable
from .transform import balanced_scores, negative, normal_scores

__all__ = [
    "ConfigurationView",
    "Ensemble",
    "FeatureView",
    "GaussianProcess",
    "GraphView",
    "PathView",
    "RandomForest",
    "Surrogate",
    "Tunable",
    "balanced_scores",
    "negative",
    "normal_scores",
]
