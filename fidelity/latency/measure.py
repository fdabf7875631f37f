"""Measurement of a network's latency."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import torch
from ConfigSpace import Configuration
from torch import Tensor, nn

from fidelity.latency.exclusive import available_device, exclusive, threads
from fidelity.latency.timing import Timing
from spaces.resources.example_input import random_input
from spaces.space import InputShape, Space, require

Run = Callable[[], object]


@dataclass(frozen=True)
class Latency:
    """The settings of a measurement.

    A network is called in evaluation mode under `torch.inference_mode`, on random inputs that are
    on the device already. Warm-up calls let caches fill and libraries choose their algorithms. On
    an asynchronous device each measurement ends when the device has finished. One measurement runs
    at a time on a device, among all processes; the user keeps other load off the machine.

    Attributes:
        device: as torch names devices; None means the GPU where there is one, else the CPU.
        batch_size: inputs per call.
        warm_up: calls before the measured ones.
        repeats: measured calls, each timed separately.
        threads: on the CPU.
        cuda_graph: whether the call is recorded once and replayed (CUDA only), which leaves out
            the time of Python and of the launches.
        wait: seconds to wait for another process that is measuring on the device.

    Raises:
        ValueError: a number is out of range.
    """

    device: str | None = None
    batch_size: int = 1
    warm_up: int = 10
    repeats: int = 50
    threads: int = 1
    cuda_graph: bool = False
    wait: float = 600.0

    def __post_init__(self) -> None:
        """Check the settings."""
        for name, least in (("batch_size", 1), ("warm_up", 0), ("repeats", 1), ("threads", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be {least} or more")
        if not self.wait >= 0:
            raise ValueError(f"wait is {self.wait} seconds: it must be 0 or more")

    def measure(self, network: nn.Module, input_shape: InputShape) -> Timing:
        """Return the time of a batch.

        Args:
            network: on any device, in any mode; a copy is measured.
            input_shape: of one input, see `spaces.InputShape`.

        Raises:
            ValueError: there is no such device, it has no CUDA graphs, or the network is on the
                meta device.
            TimeoutError: another process has measured on the device for all of `wait`.
        """
        device = available_device(self.device)
        if self.cuda_graph and device.type != "cuda":
            raise ValueError(f"a CUDA graph needs a CUDA device, not {device}: cuda_graph=False")
        if any(parameter.is_meta for parameter in network.parameters()):
            raise ValueError(
                "the network has shapes but no weights: build it outside torch.device('meta')"
            )
        own = copy.deepcopy(network).to(device).eval()
        generator = torch.Generator().manual_seed(0)
        inputs = random_input(own, input_shape, self.batch_size, generator).to(device)
        with torch.inference_mode(), exclusive(device, self.wait), threads(self.threads):
            run = _recorded(own, inputs) if self.cuda_graph else lambda: own(inputs)
            return self.timed(run, device)

    def timed(self, run: Run, device: torch.device, at_least: float = 0.0) -> Timing:
        """Return the time of `run`; the caller holds the lock of the device.

        Args:
            run: the function to measure.
            device: where it computes.
            at_least: seconds of one measurement, which repeats `run` and divides: for functions
                too short for a clock, or for the launches before them.
        """
        synchronise(device)
        for _ in range(self.warm_up):
            run()
        synchronise(device)
        number = 1
        if at_least:
            number = max(1, math.ceil(at_least / max(_seconds(run, device, 1), 1e-7)))
        return Timing.of([_seconds(run, device, number) / number for _ in range(self.repeats)])


def _seconds(run: Run, device: torch.device, number: int) -> float:
    start = perf_counter()
    for _ in range(number):
        run()
    synchronise(device)
    return perf_counter() - start


def synchronise(device: torch.device) -> None:
    """Wait until the device has finished; the CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _recorded(network: nn.Module, inputs: Tensor) -> Run:
    """Return the call as a CUDA graph, recorded after warm-up calls on a side stream."""
    with torch.cuda.device(inputs.device):
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                network(inputs)
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            network(inputs)
    replay: Run = graph.replay
    return replay


@dataclass(frozen=True)
class MeasuredLatency:
    """The median latency of the network of a configuration, in seconds.

    Attributes:
        space: builds the networks, with fresh weights: the time does not depend on them.
        input_shape: of one input, see `spaces.InputShape`.
        outputs: of the networks.
        latency: the settings of the measurement.
    """

    space: Space
    input_shape: InputShape
    outputs: int
    latency: Latency = field(default_factory=Latency)

    def __call__(self, configuration: Configuration) -> float:
        """Build the network and return its median latency, in seconds."""
        return self.timing(configuration).median

    def timing(self, configuration: Configuration) -> Timing:
        """Build the network and return its latency with the spread."""
        require(self.space, "build", "to measure latencies")
        with torch.random.fork_rng(devices=[]):  # the caller's random state stays
            network = self.space.build(configuration, self.input_shape, self.outputs)
        return self.latency.measure(network, self.input_shape)
