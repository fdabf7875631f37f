from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from fidelity.latency import operations
from tests.fidelity.export.networks import SPACES, configuration


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(2, 2, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(2)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.layer(x))
        return (x + y).reshape(x.shape[0], -1)


def test_every_call_with_its_shapes() -> None:
    found = operations(Residual(), (2, 4, 4), batch_size=3)
    assert [o.key.split("(")[0].split(".")[-1] for o in found] == [
        "conv2d",
        "batch_norm",
        "add",
        "reshape",
    ]
    assert "(3x2x4x4, 2x2x3x3" in found[0].key
    assert "3x2x4x4, 3x2x4x4" in found[2].key


def test_the_network_is_not_changed() -> None:
    network = Residual()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    operations(network, (2, 4, 4))
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


@pytest.mark.parametrize("name", SPACES)
def test_operations_of_every_space_can_be_run(name: str) -> None:
    space, shape = SPACES[name]
    with torch.device("meta"):
        network = space.build(configuration(name), shape, 5)
    found = operations(network, shape, batch_size=2)
    with torch.inference_mode():
        results = [operation.prepared(torch.device("cpu"))() for operation in found]
    last = results[-1]
    assert isinstance(last, Tensor)
    assert last.shape == (2, 5)
    assert sum("conv2d" in operation.key for operation in found) > 0
