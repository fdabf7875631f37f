"""Jacobian covariance: the first version of NASWOT."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from fidelity.proxies.proxy import check_several, twin


@dataclass(frozen=True)
class JacobianCovariance:
    """How little the gradients of different images are correlated (jacov, jacob_cov).

    Mellor et al. (2020), "Neural architecture search without training", first version
    (arXiv:2006.04647v1), equation 6: with the eigenvalues s of the correlation matrix of the
    gradients of the summed logits with respect to each image, -sum(log(s + k) + 1 / (s + k)). NaN
    where an image has no gradient.

    Attributes:
        k: keeps eigenvalues of 0 finite.
    """

    k: float = 1e-5

    def __call__(
        self,
        network: nn.Module,
        images: Float[Tensor, "batch channels height width"],
        targets: Int64[Tensor, " batch"],
        generator: torch.Generator,
    ) -> float:
        """See `Proxy`; no label is looked at."""
        check_several(images)
        leaf = images.detach().clone().requires_grad_(True)
        with torch.enable_grad():
            (jacobian,) = torch.autograd.grad(
                twin(network)(leaf).sum(), [leaf], materialize_grads=True
            )
        correlation = torch.corrcoef(jacobian.flatten(1).double())
        if not correlation.isfinite().all():
            return math.nan
        spectrum = torch.linalg.eigvalsh(correlation).clamp(min=0) + self.k
        return -float((spectrum.log() + 1 / spectrum).sum())
