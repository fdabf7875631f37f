from .ensemble_sampling import Ensemble
from .functions import (
    Acquisition,
    LogExpectedImprovement,
    LogKnowledgeGradient,
    LogNoisyExpectedImprovement,
    ThompsonSampling,
    UpperConfidenceBound,
    ValuesRepeats,
)
from .prior import Belief, Sampled, SpaceBelief

__all__ = [
    "Acquisition",
    "Belief",
    "Ensemble",
    "LogExpectedImprovement",
    "LogKnowledgeGradient",
    "LogNoisyExpectedImprovement",
    "Sampled",
    "SpaceBelief",
    "ThompsonSampling",
    "UpperConfidenceBound",
    "ValuesRepeats",
]
