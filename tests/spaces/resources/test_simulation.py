from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from spaces.cells.cell import CellSpace
from spaces.resources.resources import cost
from spaces.resources.simulation import simulate
from spaces.space import draw

ATEN = torch.ops.aten


def meta(*shape: int) -> Tensor:
    return torch.empty(shape, device="meta")


def simulated(operation: Any, *args: Any, **kwargs: Any) -> Tensor:
    result = simulate(operation, args, kwargs)[0]
    assert isinstance(result, Tensor)
    return result


class Mixed(nn.Module):
    """Operations in place, views, several results, and constants of the CPU."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2)
        )
        self.transposed = nn.ConvTranspose2d(4, 6, 3, groups=2)
        self.linear = nn.Linear(6, 5)

    def forward(self, x: Tensor) -> Tensor:
        x = self.transposed(self.layers(x))
        x = x * torch.tensor(0.5) + torch.arange(3).sum().item()
        most = x.flatten(2).max(-1).values
        halves: Tensor = torch.cat(self.linear(most).split(2, dim=1), dim=1)
        return halves @ halves.mT


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_figures_are_those_of_the_flop_counter_of_torch(dtype: torch.dtype) -> None:
    network = Mixed().to("meta", dtype).eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(torch.empty(1, 3, 16, 16, device="meta", dtype=dtype))
    first, second = cost(network, (3, 16, 16)), cost(network, (3, 16, 16))
    assert first.multiply_adds == counter.get_total_flops() // 2 > 0
    assert first == second


def test_networks_of_other_sizes_are_told_apart() -> None:
    space = CellSpace.nasbench201(channels=4, cells=1, stages=2)
    network = space.build(draw(space.configuration_space, np.random.default_rng(0)), (3, 8, 8), 10)
    sizes = [cost(network, (3, side, side)).multiply_adds for side in (8, 16, 8, 32)]
    assert sizes[0] == sizes[2] < sizes[1] < sizes[3]


class Executed(TorchDispatchMode):
    """Counts the operations that are run, not taken from the cache."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.operations = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.operations += func is ATEN.convolution.default
        return func(*args, **(kwargs or {}))


def test_what_was_simulated_once_is_not_simulated_again() -> None:
    with Executed() as executed:
        for _ in range(3):
            simulated(
                ATEN.convolution.default,
                *(meta(1, 3, 17, 19), meta(5, 3, 3, 3), None),
                *([1, 1], [0, 0], [1, 1], False, [0, 0], 1),
            )
    assert executed.operations == 1


def test_results_are_new_tensors() -> None:
    x = meta(2, 3)
    first, second = simulated(ATEN.relu.default, x), simulated(ATEN.relu.default, x)
    assert first.shape == second.shape == x.shape
    assert len({tensor.untyped_storage() for tensor in (x, first, second)}) == 3


def test_what_is_changed_in_place_stays_the_same_tensor() -> None:
    x = meta(2, 3)
    assert [simulated(ATEN.relu_.default, x) is x for _ in range(2)] == [True, True]


def test_views_share_the_memory_of_what_they_show() -> None:
    x = meta(2, 3)
    for _ in range(2):
        view = simulated(ATEN.view.default, x, [6])
        assert view.shape == (6,)
        assert view.untyped_storage() is x.untyped_storage()


def test_values_on_the_cpu_are_computed() -> None:
    for number in (1.0, 2.0):
        assert simulated(ATEN.mul.Tensor, torch.tensor(number), 2.0).item() == 2 * number


def test_the_default_precision_is_respected() -> None:
    before = torch.get_default_dtype()
    found = []
    for dtype in (torch.float32, torch.float64):
        torch.set_default_dtype(dtype)
        try:
            integers = torch.empty(3, dtype=torch.int64, device="meta")
            found.append(simulated(ATEN.mul.Tensor, integers, 0.5).dtype)
        finally:
            torch.set_default_dtype(before)
    assert found == [torch.float32, torch.float64]
