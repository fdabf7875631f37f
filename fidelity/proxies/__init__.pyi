from .features import ProxyFeatures
from .gradients import SNIP, GradNorm
from .jacobian import JacobianCovariance
from .naswot import NASWOT
from .proxy import Batch, Proxy, ProxyError
from .score import Score
from .size import MultiplyAdds, Parameters
from .synflow import Synflow
from .zen import Zen

__all__ = [
    "NASWOT",
    "SNIP",
    "Batch",
    "GradNorm",
    "JacobianCovariance",
    "MultiplyAdds",
    "Parameters",
    "Proxy",
    "ProxyError",
    "ProxyFeatures",
    "Score",
    "Synflow",
    "Zen",
]
