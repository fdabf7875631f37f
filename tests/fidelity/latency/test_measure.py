from __future__ import annotations

import gc

import pytest
import torch
from torch import Tensor, nn

from fidelity.latency import Latency, MeasuredLatency, Timing
from fidelity.latency.exclusive import exclusive
from spaces import CellSpace
from tests.fidelity.latency.conftest import Clock

CPU = torch.device("cpu")


class Slow(nn.Module):
    """Takes 9, 8, 7 ... seconds, and notes how it is called."""

    calls: list[tuple[object, ...]]

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.layer = nn.Dropout(0.5)
        self.clock = clock
        self.calls = []

    def __deepcopy__(self, memo: object) -> Slow:
        copied = Slow(self.clock)
        copied.calls = self.calls
        return copied

    def forward(self, x: Tensor) -> Tensor:
        self.clock.passes(9.0 - len(self.calls))
        state = (self.training, torch.is_inference_mode_enabled(), gc.isenabled())
        self.calls.append((tuple(x.shape), torch.get_num_threads(), *state))
        return x


def test_counts_after_the_warm_up(clock: Clock) -> None:
    network = Slow(clock)
    timing = Latency("cpu", batch_size=4, warm_up=2, repeats=5).measure(network, (3, 8, 8))
    assert timing == Timing(5.0, 4.0, 6.0, 5)  # of 7, 6, 5, 4, 3
    assert network.calls == [((4, 3, 8, 8), 1, False, True, False)] * 7


def test_leaves_everything_as_it_was(clock: Clock) -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    network = Slow(clock)
    Latency("cpu", warm_up=0, repeats=1, threads=threads + 1).measure(network, (1, 2, 2))
    assert network.training
    assert network.calls[0][1] == threads + 1
    assert torch.get_num_threads() == threads
    assert gc.isenabled()
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_short_is_repeated(clock: Clock) -> None:
    runs = []

    def run() -> None:
        runs.append(1)
        clock.passes(0.25)

    timing = Latency(warm_up=1, repeats=3).timed(run, CPU, at_least=1.0)
    assert timing == Timing(0.25, 0.25, 0.25, 3)
    assert len(runs) == 1 + 1 + 3 * 4


def test_one_measurement_at_a_time(clock: Clock) -> None:
    with (
        exclusive(CPU, 0),
        pytest.raises(TimeoutError, match=r"another process has measured on cpu for 0 seconds"),
    ):
        Latency("cpu", wait=0).measure(Slow(clock), (1, 2, 2))
    assert gc.isenabled()
    Latency("cpu", wait=0, repeats=1, warm_up=0).measure(Slow(clock), (1, 2, 2))


def test_an_error_gives_the_device_back(clock: Clock) -> None:
    with pytest.raises(RuntimeError):
        Latency("cpu").measure(nn.Conv2d(3, 3, 3), (1, 8, 8))
    Latency("cpu", wait=0, repeats=1, warm_up=0).measure(Slow(clock), (1, 2, 2))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"repeats": 0}, "repeats is 0: it must be 1 or more"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"threads": 0}, "threads is 0"),
        ({"warm_up": -1}, "warm_up is -1: it must be 0 or more"),
        ({"wait": float("nan")}, "wait is nan seconds"),
    ],
)
def test_bad_numbers(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Latency(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("device", ["cuda:99", "no such device", "meta"])
def test_a_device_that_does_not_exist(device: str) -> None:
    with pytest.raises(ValueError, match=r"(there is no device|on the device 'meta')"):
        Latency(device).measure(nn.Identity(), (1, 2, 2))


def test_what_cannot_be_measured() -> None:
    with pytest.raises(ValueError, match="a CUDA graph needs a CUDA device, not cpu"):
        Latency("cpu", cuda_graph=True).measure(nn.Identity(), (1, 2, 2))
    with torch.device("meta"):
        network = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="build it outside"):
        Latency("cpu").measure(network, (1, 2, 2))


def test_measures_a_configuration() -> None:
    space = CellSpace.nasbench201(channels=4, cells=1, stages=1)
    latency = MeasuredLatency(space, (3, 8, 8), 5, Latency("cpu", repeats=3))
    configuration = space.configuration_space.get_default_configuration()
    state = torch.get_rng_state()
    assert latency(configuration) > 0
    assert latency.timing(configuration).repeats == 3
    assert torch.equal(torch.get_rng_state(), state)
