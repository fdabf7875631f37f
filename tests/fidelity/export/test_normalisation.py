from __future__ import annotations

import pytest
import torch
from torch import nn

from fidelity.export.normalisation import Normalised


def test_normalises_each_channel_before_the_network() -> None:
    mean, scale = torch.tensor([1.0, 2.0]), torch.tensor([0.5, 4.0])
    network = Normalised(nn.Flatten(), (mean.view(1, 2, 1, 1), scale.view(1, 2, 1, 1)))
    images = torch.tensor([3.0, 3.0]).view(1, 2, 1, 1)
    assert network(images).tolist() == [[1.0, 4.0]]


@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_an_offset_is_subtracted_first_and_exactly(precision: torch.dtype) -> None:
    offset, mean, scale = (
        torch.full((1, 1, 1, 1), value) for value in (1_700_000_000.0, 100.0, 0.01)
    )
    network = Normalised(nn.Flatten(), (mean, scale), offset)
    images = offset.to(precision) + 256
    logits = network(images)
    assert logits.dtype is torch.float32
    assert logits.item() == pytest.approx(1.56)
    blank = Normalised.blank(nn.Flatten(), 1, 4, network.parts, 1)
    blank.load_state_dict(network.state_dict())
    assert torch.equal(blank(images), logits)


def test_a_blank_one_is_filled_by_weights() -> None:
    network = Normalised(nn.Identity(), (torch.full((1, 3, 1, 1), 7.0), torch.rand(1, 3, 1, 1)))
    blank = Normalised.blank(nn.Identity(), 3, 4, network.parts, 3)
    images = torch.rand(2, 3, 4, 4)
    assert torch.equal(blank(images), images)
    blank.load_state_dict(network.state_dict())
    assert torch.equal(blank(images), network(images))


def test_outputs_get_the_units_of_the_targets() -> None:
    units = torch.tensor([10.0, -1.0], dtype=torch.float64), torch.tensor([2.0, 3.0])
    network = Normalised(nn.Identity(), None, None, units)
    assert network(torch.tensor([[1.0, 1.0]])).tolist() == [[12.0, 2.0]]
    blank = Normalised.blank(nn.Identity(), 2, 2, network.parts, 2)
    blank.load_state_dict(network.state_dict())
    assert blank(torch.tensor([[1.0, 1.0]])).tolist() == [[12.0, 2.0]]
