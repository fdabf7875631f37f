"""NASWOT: how differently a network treats different images."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from fidelity.proxies.proxy import ProxyError, check_several, twin

RECTIFIERS = (nn.ReLU, nn.ReLU6)


@dataclass(frozen=True)
class NASWOT:
    """The log-determinant of a kernel of binary activation codes.

    Mellor et al. (2021), "Neural architecture search without training", equations 1 and 2: the
    kernel of two images is the number of rectified units less the Hamming distance of their
    codes, which say of each unit whether it is active. Images that all have different codes are
    easy to tell apart; two with equal codes give -inf.

    Rectifiers are found as modules, nn.ReLU and nn.ReLU6; called as functions they are not seen.
    """

    def __call__(
        self,
        network: nn.Module,
        images: Float[Tensor, "batch channels height width"],
        targets: Int64[Tensor, " batch"],
        generator: torch.Generator,
    ) -> float:
        """See `Proxy`; no label is looked at."""
        check_several(images)
        watched = twin(network)
        rectifiers = [module for module in watched.modules() if isinstance(module, RECTIFIERS)]
        if not rectifiers:
            raise ProxyError(
                "the network has no nn.ReLU or nn.ReLU6, whose activity NASWOT compares: choose "
                "another proxy, or make the rectifiers modules"
            )
        size = len(images)
        kernel = torch.zeros(size, size, dtype=torch.float64, device=images.device)

        def add(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            active = (inputs[0].flatten(1) > 0).to(torch.float32)
            passive = 1 - active
            kernel.add_(active @ active.T + passive @ passive.T)

        for rectifier in rectifiers:
            rectifier.register_forward_pre_hook(add)
        with torch.no_grad():
            watched(images)
            return float(torch.linalg.slogdet(kernel).logabsdet)
