"""NASWOT: the differences between the activations of different examples."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from fidelity.proxies.proxy import Batch, ProxyError, check_several, scratch_copy

RECTIFIERS = (nn.ReLU, nn.ReLU6)


@dataclass(frozen=True)
class NASWOT:
    """The log-determinant of a kernel of binary activation codes.

    Mellor et al. (2021), "Neural architecture search without training", equations 1 and 2: the
    kernel of two examples is the number of rectified units less the Hamming distance of their
    codes, one bit per unit: is it active? Examples with different codes are easy to tell apart; two
    with equal codes give -inf.

    Only rectifiers that are modules count, nn.ReLU and nn.ReLU6, not those called as functions.
    """

    def __call__(self, network: nn.Module, batch: Batch, generator: Generator) -> float:
        """See `Proxy`; targets are not used."""
        check_several(batch)
        copied = scratch_copy(network)
        rectifiers = [module for module in copied.modules() if isinstance(module, RECTIFIERS)]
        if not rectifiers:
            raise ProxyError(
                "the network has no nn.ReLU or nn.ReLU6, whose activity NASWOT compares: choose "
                "another proxy, or make the rectifiers modules"
            )
        size = len(batch.inputs)
        kernel = torch.zeros(size, size, dtype=torch.float64, device=batch.inputs.device)

        def add(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            active = (inputs[0].flatten(1) > 0).to(torch.float32)
            passive = 1 - active
            kernel.add_(active @ active.T + passive @ passive.T)

        for rectifier in rectifiers:
            rectifier.register_forward_pre_hook(add)
        with torch.no_grad():
            copied(batch.inputs)
            return float(torch.linalg.slogdet(kernel).logabsdet)
