from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from fidelity.latency import Operation, operations_of
from fidelity.latency.operations import CACHE_BYTES, Blank
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
    found = operations_of(Residual(), (2, 4, 4), batch_size=3)
    assert [o.key.split("(")[0].split(".")[-1] for o in found] == [
        "conv2d",
        "batch_norm",
        "add",
        "reshape",
    ]
    assert "(3x2x4x4, 2x2x3x3" in found[0].key
    assert "3x2x4x4, 3x2x4x4" in found[2].key


def test_calls_take_turns_with_copies_of_the_weights() -> None:
    read: list[tuple[int, int]] = []

    def function(x: Tensor, weight: Tensor) -> None:
        read.append((x.data_ptr(), weight.data_ptr()))

    image, weight = Blank((1, 2), torch.float32), Blank((256, 4096), torch.float32, weight=True)
    call = Operation("f", function, (image, weight), {}).prepared(torch.device("cpu"))
    for _ in range(16):
        call()
    assert len({image for image, _ in read}) == 1
    assert [weight for _, weight in read[:8]] == [weight for _, weight in read[8:]]
    assert len({weight for _, weight in read}) == CACHE_BYTES // weight.bytes == 8


def test_knows_weights_from_results() -> None:
    convolution, _, add, _ = operations_of(Residual(), (2, 4, 4))
    assert [blank.weight for blank in convolution.arguments[:2]] == [False, True]
    assert [blank.weight for blank in add.arguments] == [False, False]


def test_frozen_modules_stay_frozen() -> None:
    network = Residual()
    network.norm.eval()
    operations_of(network, (2, 4, 4))
    assert [module.training for module in network.modules()] == [True, True, False]


def test_the_network_is_not_changed() -> None:
    network = Residual()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    operations_of(network, (2, 4, 4))
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


@pytest.mark.parametrize("name", SPACES)
def test_operations_of_every_space_can_be_run(name: str) -> None:
    space, shape = SPACES[name]
    with torch.device("meta"):
        network = space.build(configuration(name), shape, 5)
    found = operations_of(network, shape, batch_size=2)
    with torch.inference_mode():
        results = [operation.prepared(torch.device("cpu"))() for operation in found]
    last = results[-1]
    assert isinstance(last, Tensor)
    assert last.shape[:2] == (2, 5)
    convolves = any(isinstance(module, nn.Conv2d) for module in network.modules())
    assert any("conv2d" in operation.key for operation in found) is convolves
