"""Synaptic flow."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from fidelity.proxies.proxy import BATCH_NORMS, Batch, check_numbers, scratch_copy, weighted_layers

NORMALISATIONS = (*BATCH_NORMS, nn.GroupNorm, nn.LayerNorm)


@dataclass(frozen=True)
class Synflow:
    """The logarithm of the summed synaptic saliencies |weight * gradient|.

    Tanaka et al. (2020), "Pruning neural networks without any data by iteratively conserving
    synaptic flow", equations 1 and 2; as a score of whole networks Abdelfattah et al. (2021),
    "Zero-cost proxies for lightweight NAS", section 3.2. All weights are made positive,
    normalisation is left out, the input is one example of ones and the loss the sum of the logits.
    The sum grows exponentially with depth: it is computed in double precision, and its logarithm
    gives the same ranks.

    Images and targets are not used. A network without any flow has the score -inf.
    """

    def __call__(self, network: nn.Module, batch: Batch, generator: Generator) -> float:
        """See `Proxy`; only the shape of the inputs is used."""
        check_numbers(batch)
        linear = scratch_copy(network).double().eval()
        with torch.no_grad():
            for parameter in linear.parameters():
                parameter.abs_()
        for module in linear.modules():
            if isinstance(module, NORMALISATIONS):
                module.register_forward_hook(_bypass)
        weights: list[Tensor] = [layer.weight for layer in weighted_layers(linear)]
        shape, device = batch.inputs.shape[1:], batch.inputs.device
        ones = torch.ones(1, *shape, dtype=torch.float64, device=device)
        with torch.enable_grad():
            flow = linear(ones).sum()
            gradients = torch.autograd.grad(flow, weights, allow_unused=True)
        total = sum(
            float((weight.detach() * gradient).abs().sum())
            for weight, gradient in zip(weights, gradients, strict=True)
            if gradient is not None
        )
        return float(torch.tensor(total, dtype=torch.float64).log())


def _bypass(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    """Return the input of a layer in place of its output."""
    return inputs[0]
