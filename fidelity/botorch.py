"""The parts of BoTorch and GPyTorch in use, imported without a warning that no user can act on.

Importing them imports linear_operator, which compiles two functions with `torch.jit.script`: since
torch 2.13 a DeprecationWarning, since 2.14 a FutureWarning. No other module here imports these
packages (`lint-imports` checks it), and the warning filters of other code do not change.
"""

import warnings

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", r"`torch\.jit\.script`")
    from botorch.acquisition.analytic import (
        LogExpectedImprovement,
        UpperConfidenceBound,
        _log_ei_helper,
    )
    from botorch.acquisition.logei import qLogNoisyExpectedImprovement
    from botorch.acquisition.objective import PosteriorTransform
    from botorch.models.model import FantasizeMixin, Model
    from botorch.posteriors.gpytorch import GPyTorchPosterior
    from botorch.posteriors.posterior import Posterior
    from botorch.sampling.normal import SobolQMCNormalSampler
    from botorch.utils.multi_objective.box_decompositions import FastNondominatedPartitioning
    from botorch.utils.multi_objective.hypervolume import Hypervolume
    from gpytorch.distributions import MultivariateNormal

log_ei_helper = _log_ei_helper

__all__ = [
    "FantasizeMixin",
    "FastNondominatedPartitioning",
    "GPyTorchPosterior",
    "Hypervolume",
    "LogExpectedImprovement",
    "Model",
    "MultivariateNormal",
    "Posterior",
    "PosteriorTransform",
    "SobolQMCNormalSampler",
    "UpperConfidenceBound",
    "log_ei_helper",
    "qLogNoisyExpectedImprovement",
]
