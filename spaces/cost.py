"""What a network costs, computed without running or allocating it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from spaces.space import InputShape


@dataclass(frozen=True)
class Cost:
    """The resources of one forward pass of one image.

    Attributes:
        parameters: trainable weights.
        multiply_adds: of convolutions and linear layers.
    """

    parameters: int
    multiply_adds: int


def cost(network: nn.Module, input_shape: InputShape) -> Cost:
    """Counts on torch's meta device, where tensors have shapes and no contents.

    Args:
        network: on any device; it is not changed. Build it under `torch.device("meta")` to
            allocate nothing at all.
        input_shape: channels, height and width of one image.
    """
    training = network.training
    state = {
        name: tensor.to("meta")
        for name, tensor in [*network.named_parameters(), *network.named_buffers()]
    }
    counter = FlopCounterMode(display=False)
    network.eval()
    try:
        with torch.no_grad(), counter:
            image = torch.empty(1, *input_shape, device="meta")
            torch.func.functional_call(network, state, (image,))
    finally:
        network.train(training)
    return Cost(
        parameters=sum(p.numel() for p in network.parameters() if p.requires_grad),
        multiply_adds=counter.get_total_flops() // 2,
    )
