"""Networks before and after their training: can they be trained, where, and how large are they?"""

from __future__ import annotations

import torch
from ConfigSpace import Configuration
from torch import nn

from fidelity.objective import InvalidArchitecture
from spaces.space import Space


def check_connected(space: Space, configuration: Configuration) -> None:
    """Refuse a configuration whose network does not read its input.

    Args:
        space: of the configuration.
        configuration: the network.

    Raises:
        InvalidArchitecture: there is no path from input to output.
    """
    if not space.architecture(configuration).connected:
        raise InvalidArchitecture("no path leads from the input to the output")


def move_network(network: nn.Module, device: torch.device) -> None:
    """Move a network to a device in place, its weights channels-last in memory.

    Args:
        network: built on the CPU, so that a seed gives the same weights on every device.
        device: the device.
    """
    network.to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # of images alone


def trainable_parameters(network: nn.Module) -> int:
    """Return the number of parameters that training changes."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
