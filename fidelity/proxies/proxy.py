"""The protocol of zero-cost proxies, and the checks of their networks and batches."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from jaxtyping import Float
from torch import Generator, Tensor, nn

from fidelity.augment import Inputs
from fidelity.tasks.task import Outputs, Targets

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
Weighted = nn.Conv1d | nn.Conv2d | nn.Linear


class ProxyError(ValueError):
    """A network or batch that a proxy cannot score; the message says how to mend it."""


@dataclass(frozen=True, eq=False)
class Batch:
    """The examples on which a network is scored.

    Attributes:
        inputs: normalised, on the device and in the precision of the network.
        targets: of the same examples.
        losses: the loss of each example by the task, from outputs and targets.
    """

    inputs: Inputs
    targets: Targets
    losses: Callable[[Outputs, Targets], Float[Tensor, " batch"]]


class Proxy(Protocol):
    """A score of a network at initialisation; a higher one promises more accuracy."""

    def __call__(self, network: nn.Module, batch: Batch, generator: Generator) -> float:
        """Return the score, which may be infinite or NaN where there is none.

        The network with its mode and gradients, the batch and torch's own generators do not change.

        Args:
            network: from inputs to outputs (batch, outputs, ...), freshly initialised.
            batch: of training examples.
            generator: the only source of randomness, on the CPU.

        Raises:
            ProxyError: the network lacks the layers that the proxy scores, or the batch is too
                small, or all its targets are equal.
        """
        ...


def scratch_copy(network: nn.Module) -> nn.Module:
    """Return a copy of a network whose batch normalisation uses the statistics of each batch.

    Everything else is in evaluation mode: dropout would draw from torch's own generator.
    """
    copied = copy.deepcopy(network).eval()
    for module in copied.modules():
        if isinstance(module, BATCH_NORMS):
            module.train()
    return copied


def weighted_layers(network: nn.Module) -> list[Weighted]:
    """Return the convolutions and linear layers, with gradients enabled for their weights.

    Raises:
        ProxyError: there is none.
    """
    layers = [module for module in network.modules() if isinstance(module, Weighted)]
    if not layers:
        raise ProxyError(
            "the network has neither nn.Conv2d nor nn.Linear nor nn.Conv1d, whose weights this "
            "proxy scores: choose another proxy for this space"
        )
    for layer in layers:
        layer.weight.requires_grad_(True)
    return layers


def check_several(batch: Batch) -> None:
    """Refuse a batch too small to compare examples or to normalise.

    Raises:
        ProxyError: there are fewer than two examples.
    """
    if len(batch.inputs) < 2:
        raise ProxyError(
            f"a batch of {len(batch.inputs)} example: this proxy compares examples, or uses batch "
            "normalisation, and needs 2 or more; 64 are usual"
        )


def check_numbers(batch: Batch) -> None:
    """Refuse tokens, which are no numbers that could change a little.

    Raises:
        ProxyError: the inputs are tokens.
    """
    if not batch.inputs.is_floating_point():
        raise ProxyError(
            "the inputs are tokens, not numbers: this proxy changes or replaces its inputs; choose "
            "another proxy, such as Parameters or SNIP"
        )


def check_targets(batch: Batch) -> None:
    """Refuse a batch of equal targets, whose loss says nothing about a network.

    Raises:
        ProxyError: all targets are equal.
    """
    if (batch.targets == batch.targets[0]).all():
        raise ProxyError(
            f"all {len(batch.targets)} examples of the batch have the same target: the gradient of "
            "the loss needs different ones; take more examples, or shuffle them"
        )
