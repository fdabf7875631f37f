from __future__ import annotations

import torch
from torch import nn

from fidelity.normalised import Normalised


def test_normalises_each_channel_before_the_network() -> None:
    mean, scale = torch.tensor([1.0, 2.0]), torch.tensor([0.5, 4.0])
    network = Normalised(nn.Flatten(), mean.view(1, 2, 1, 1), scale.view(1, 2, 1, 1))
    images = torch.tensor([3.0, 3.0]).view(1, 2, 1, 1)
    assert network(images).tolist() == [[1.0, 4.0]]


def test_a_blank_one_is_filled_by_weights() -> None:
    network = Normalised(nn.Identity(), torch.full((1, 3, 1, 1), 7.0), torch.rand(1, 3, 1, 1))
    blank = Normalised.blank(nn.Identity(), 3)
    images = torch.rand(2, 3, 4, 4)
    assert torch.equal(blank(images), images)
    blank.load_state_dict(network.state_dict())
    assert torch.equal(blank(images), network(images))
