from __future__ import annotations

import pytest
import torch
from ConfigSpace import Configuration
from torch import nn

from fidelity.objective import InvalidArchitecture
from fidelity.training.networks import check_connected, move_network, trainable_parameters
from spaces.cells.cell import CellSpace

SPACE = CellSpace.nasbench201(channels=4, cells=1)


def test_only_a_network_that_reads_its_input_passes() -> None:
    space = SPACE.configuration_space
    connected, disconnected = (
        Configuration(space, values=dict.fromkeys(space, operation))
        for operation in ("skip_connect", "none")
    )
    check_connected(SPACE, connected)
    with pytest.raises(InvalidArchitecture, match="no path leads from the input to the output"):
        check_connected(SPACE, disconnected)


def test_a_moved_network_is_channels_last() -> None:
    network = nn.Conv2d(3, 4, 3)
    move_network(network, torch.device("cpu"))
    assert network.weight.is_contiguous(memory_format=torch.channels_last)


def test_frozen_parameters_do_not_count() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2).requires_grad_(False))
    assert trainable_parameters(network) == 16
