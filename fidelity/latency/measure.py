"""The latency of a network, measured."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

import torch
from ConfigSpace import Configuration
from torch import Tensor, nn

from fidelity.latency.exclusive import exclusive, existing, threads
from fidelity.latency.timing import Timing
from spaces.space import InputShape, Space

Run = Callable[[], object]


@dataclass(frozen=True)
class Latency:
    """How to measure.

    A network is called in evaluation mode under `torch.inference_mode`, on random images that are
    on the device already. The calls before the first that counts let caches fill and libraries
    choose their algorithms. On a device that computes behind the caller's back each measurement
    ends when the device has. One measurement runs at a time on a device, among all processes;
    what else the machine does is for the user to keep down.

    Attributes:
        device: as torch names devices; None means the GPU where there is one, else the CPU.
        batch_size: images a call.
        warm_up: calls before the first that counts.
        repeats: calls that count, each by itself.
        threads: on the CPU.
        cuda_graph: whether the call is recorded once and replayed (CUDA only), which leaves out
            what Python and the launches cost.
        wait: seconds to wait for another process that is measuring on the device.

    Raises:
        ValueError: a number is out of its range.
    """

    device: str | None = None
    batch_size: int = 1
    warm_up: int = 10
    repeats: int = 50
    threads: int = 1
    cuda_graph: bool = False
    wait: float = 600.0

    def __post_init__(self) -> None:
        """Checks the numbers."""
        for name, least in (("batch_size", 1), ("warm_up", 0), ("repeats", 1), ("threads", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}: it must be {least} or more")
        if not self.wait >= 0:
            raise ValueError(f"wait is {self.wait} seconds: it must be 0 or more")

    def measure(self, network: nn.Module, input_shape: InputShape) -> Timing:
        """The time that a batch takes.

        Args:
            network: on any device, in any mode; a copy of it is measured.
            input_shape: channels, height and width of one image.

        Raises:
            ValueError: there is no such device, it has no CUDA graphs, or the network is on the
                meta device.
            TimeoutError: another process has held the device for all of `wait`.
        """
        device = existing(self.device)
        if self.cuda_graph and device.type != "cuda":
            raise ValueError(f"a CUDA graph needs a CUDA device, not {device}: cuda_graph=False")
        if any(parameter.is_meta for parameter in network.parameters()):
            raise ValueError(
                "the network has shapes and no numbers: build it outside torch.device('meta')"
            )
        own = copy.deepcopy(network).to(device).eval()
        generator = torch.Generator().manual_seed(0)
        images = torch.randn(self.batch_size, *input_shape, generator=generator).to(device)
        with torch.inference_mode(), exclusive(device, self.wait), threads(self.threads):
            run = _recorded(own, images) if self.cuda_graph else lambda: own(images)
            return self.timed(run, device)

    def timed(self, run: Run, device: torch.device, at_least: float = 0.0) -> Timing:
        """The time that `run` takes, once the caller holds the device.

        Args:
            run: what is measured.
            device: where it computes.
            at_least: seconds of one measurement, which repeats `run` and divides: for what is
                too short for a clock, or for the launches before it.
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
    """Waits until the device has computed everything; the CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def _recorded(network: nn.Module, images: Tensor) -> Run:
    """The call as a CUDA graph; before it is recorded it has to run beside the main stream."""
    with torch.cuda.device(images.device):
        beside = torch.cuda.Stream()
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(3):
                network(images)
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            network(images)
    replay: Run = graph.replay
    return replay


@dataclass(frozen=True)
class MeasuredLatency:
    """The median latency of the network of a configuration, in seconds.

    Attributes:
        space: builds the networks, with fresh weights: the time does not depend on them.
        input_shape: channels, height and width of one image.
        outputs: the number of classes.
        latency: how to measure.
    """

    space: Space
    input_shape: InputShape
    outputs: int
    latency: Latency = field(default_factory=Latency)

    def __call__(self, configuration: Configuration) -> float:
        """Builds and measures."""
        return self.timing(configuration).median

    def timing(self, configuration: Configuration) -> Timing:
        """The same with its spread."""
        with torch.random.fork_rng(devices=[]):  # whoever asks keeps their random numbers
            network = self.space.build(configuration, self.input_shape, self.outputs)
        return self.latency.measure(network, self.input_shape)
