"""Jacobian covariance: the first version of NASWOT."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, nn

from fidelity.proxies.proxy import Batch, check_numbers, check_several, scratch_copy


@dataclass(frozen=True)
class JacobianCovariance:
    """The decorrelation of the gradients of different examples (jacov, jacob_cov).

    Mellor et al. (2020), "Neural architecture search without training", first version
    (arXiv:2006.04647v1), equation 6: with the eigenvalues s of the correlation matrix of the
    gradients of the summed logits with respect to each image, -sum(log(s + k) + 1 / (s + k)). NaN
    where an image has no gradient.

    Attributes:
        k: added to the eigenvalues, so that those of 0 have a finite logarithm.
    """

    k: float = 1e-5

    def __call__(self, network: nn.Module, batch: Batch, generator: Generator) -> float:
        """See `Proxy`; targets are not used."""
        check_several(batch)
        check_numbers(batch)
        leaf = batch.inputs.detach().clone().requires_grad_(True)
        with torch.enable_grad():
            (jacobian,) = torch.autograd.grad(
                scratch_copy(network)(leaf).sum(), [leaf], materialize_grads=True
            )
        correlation = torch.corrcoef(jacobian.flatten(1).double())
        if not correlation.isfinite().all():
            return math.nan
        spectrum = torch.linalg.eigvalsh(correlation).clamp(min=0) + self.k
        return -float((spectrum.log() + 1 / spectrum).sum())
