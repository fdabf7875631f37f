from __future__ import annotations

import pytest
from torch import nn

from spaces.resources.evaluation_mode import evaluation_mode


def test_every_module_is_put_back_into_its_own_mode_whatever_happens() -> None:
    network = nn.Sequential(nn.Dropout(), nn.Sequential(nn.BatchNorm2d(2), nn.ReLU()))
    network[1][0].eval()
    before = [module.training for module in network.modules()]

    def interrupted() -> None:
        with evaluation_mode(network):
            assert not any(module.training for module in network.modules())
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert [module.training for module in network.modules()] == before
