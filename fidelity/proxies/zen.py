"""The Zen-score: the expressivity of a network with Gaussian weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor, nn

from fidelity.proxies.proxy import (
    Batch,
    ProxyError,
    Weighted,
    check_numbers,
    check_several,
    scratch_copy,
)

CONVOLUTIONS = (nn.Conv2d, nn.Conv1d)
NORMS = (nn.BatchNorm2d, nn.BatchNorm1d)
POOLS = (nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool1d)


@dataclass(frozen=True)
class Zen:
    """The change of feature maps with the input, the effect of batch normalisation removed.

    Lin et al. (2021), "Zen-NAS: a zero-shot NAS for high-performance image recognition",
    algorithm 1: with all weights and images drawn from N(0, 1), the logarithm of the mean
    distance (the sum of absolute differences, as in the authors' code) between the last feature
    maps of an image and of the same image with a little noise, plus the logarithm of the
    standard deviation that each batch normalisation divides by. Unlike in the paper,
    residual connections stay: they cannot be told from a network's other paths.

    Images and targets are not used, only the shape of the batch.

    Attributes:
        noise: the standard deviation of the noise that is added to an image.
    """

    noise: float = 0.01

    def __call__(self, network: nn.Module, batch: Batch, generator: Generator) -> float:
        """See `Proxy`; `generator` draws weights and images."""
        check_several(batch)
        check_numbers(batch)
        gaussian = scratch_copy(network)
        _check_layers(gaussian)
        x, epsilon = _normal(batch.inputs, generator), _normal(batch.inputs, generator)
        maps: list[Tensor] = []
        deviations: list[Tensor] = []
        with torch.no_grad():
            _initialise(gaussian, generator)
            for pool in _modules(gaussian, POOLS):
                pool.register_forward_pre_hook(_collect(maps))
            handles = [
                norm.register_forward_pre_hook(_deviation(deviations))
                for norm in _modules(gaussian, NORMS)
            ]
            gaussian(x)
            before = maps[-1]
            for handle in handles:
                handle.remove()
            gaussian(x + self.noise * epsilon)
            distance = (before - maps[-1]).abs().flatten(1).sum(1).mean()
        # In double precision: a sum over hundreds of layers would lose digits.
        scale = torch.stack(deviations).double().log().sum()
        return float(distance.double().log() + scale)


def _check_layers(network: nn.Module) -> None:
    """Raise a ProxyError unless the network has the layers that the score is computed from."""
    for kinds, role in (
        (CONVOLUTIONS, "whose expressivity it measures"),
        (NORMS, "whose scale it adds"),
        (POOLS, "before which it compares feature maps"),
    ):
        if not _modules(network, kinds):
            names = " or ".join(f"nn.{kind.__name__}" for kind in kinds)
            raise ProxyError(
                f"the network has no {names}, {role}: the Zen-score is for "
                "convolutional networks with batch normalisation and global average pooling; "
                "choose another proxy for this space"
            )


def _modules(network: nn.Module, kinds: tuple[type[nn.Module], ...]) -> list[nn.Module]:
    return [module for module in network.modules() if isinstance(module, kinds)]


def _normal(like: Tensor, generator: Generator) -> Tensor:
    """Draw on the CPU, so that a seed gives the same numbers on every device."""
    return torch.randn(like.shape, generator=generator).to(like)


def _initialise(network: nn.Module, generator: Generator) -> None:
    """Draw weights from N(0, 1); reset biases to 0 and the scales of normalisation to 1."""
    for module in network.modules():
        if isinstance(module, Weighted):
            module.weight.copy_(_normal(module.weight, generator))
        elif isinstance(module, NORMS) and module.affine:
            module.weight.fill_(1)
        else:
            continue
        if module.bias is not None:
            module.bias.zero_()


Hook = Callable[[nn.Module, tuple[Tensor, ...]], None]


def _collect(maps: list[Tensor]) -> Hook:
    def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        maps.append(inputs[0])

    return hook


def _deviation(deviations: list[Tensor]) -> Hook:
    def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        others = [axis for axis in range(inputs[0].ndim) if axis != 1]
        deviations.append(inputs[0].var(others, correction=0).mean().sqrt())

    return hook
