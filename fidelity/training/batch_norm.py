"""Calibration of batch normalisation: its population statistics for the current weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from fidelity.augment import Inputs


class _Calibration:
    """A layer of batch normalisation, and the statistics of its inputs over several batches.

    They do not depend on how the values are split into batches: Chan, Golub and LeVeque (1983),
    "Algorithms for computing the sample variance", equation 2.1, divided by the number of values.
    """

    def __init__(self, layer: _BatchNorm) -> None:
        self.layer = layer
        self.momentum = layer.momentum
        layer.reset_running_stats()
        layer.momentum = 1.0  # the running averages become those of the last batch alone
        layer.train()
        self.mean, self.variance = (torch.zeros_like(values) for values in self._averages)
        self.count = 0
        self.hook = layer.register_forward_hook(self._add)

    @property
    def _averages(self) -> tuple[Tensor, Tensor]:
        mean, variance = self.layer.running_mean, self.layer.running_var
        assert mean is not None
        assert variance is not None
        return mean, variance

    def _add(self, layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        """Add the batch that the layer has just normalised to the statistics."""
        mean, variance = self._averages
        size = output.numel() // output.shape[1]
        before, self.count = self.count, self.count + size
        share, shift = size / self.count, mean - self.mean
        self.mean += share * shift
        self.variance += share * (variance * ((size - 1) / size) - self.variance)
        self.variance += share * (before / self.count) * shift.square()

    def finish(self) -> None:
        """Write the statistics into the layer and restore its settings."""
        self.hook.remove()
        self.layer.momentum = self.momentum
        self.layer.eval()
        if self.count > 1:  # a layer that no example passes stays reset
            mean, variance = self._averages
            mean.copy_(self.mean)
            variance.copy_(self.variance * (self.count / (self.count - 1)))


@torch.no_grad()
def calibrate(
    network: nn.Module, forward: Callable[[Inputs], object], batches: Iterable[Inputs]
) -> None:
    """Replace the running averages of batch normalisation; the network ends in evaluation mode.

    The running averages of training lag behind weights that move fast, so that a network
    looks far worse after a few epochs than it is ("precise batch normalisation", Wu &
    Johnson 2021, arXiv:2105.07576, section 3). Only batch normalisation is in training mode
    meanwhile; a layer of it that stays in evaluation mode while its network trains is skipped.

    Args:
        network: the network to calibrate, in place.
        forward: computes the network on a batch.
        batches: two examples or more each, weighted by the number of their values.
    """
    network.train()
    layers = [
        layer
        for layer in network.modules()
        if isinstance(layer, _BatchNorm) and layer.track_running_stats and layer.training
    ]
    network.eval()
    if not layers:
        return
    calibrations = list(map(_Calibration, layers))
    try:
        for inputs in batches:
            forward(inputs)
    finally:
        for calibration in calibrations:
            calibration.finish()
