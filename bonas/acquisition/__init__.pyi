from .functions import (
    Acquisition,
    LogExpectedImprovement,
    LogKnowledgeGradient,
    LogNoisyExpectedImprovement,
    ThompsonSampling,
    UpperConfidenceBound,
    ValuesRepeats,
)

__all__ = [
    "Acquisition",
    "LogExpectedImprovement",
    "LogKnowledgeGradient",
    "LogNoisyExpectedImprovement",
    "ThompsonSampling",
    "UpperConfidenceBound",
    "ValuesRepeats",
]
