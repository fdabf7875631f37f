"""The default parts of Bayesian optimization, imported when a strategy is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bonas.acquisition.functions import Acquisition
    from bonas.surrogates.surrogate import Surrogate


def default_surrogate() -> Surrogate:
    """Return the default surrogate; its import takes a second."""
    from bonas.surrogates.gaussian_process import GaussianProcess

    return GaussianProcess()


def default_acquisition() -> Acquisition:
    """Return the default acquisition function."""
    from bonas.acquisition.functions import LogKnowledgeGradient

    return LogKnowledgeGradient()
