"""Training steps as CUDA graphs: all kernels of a step are launched at once.

A step of a small network is hundreds of kernels that each run for microseconds, so that a GPU waits
for their launches. This file has never run on a GPU; its logic is tested on a CPU with a recorder
that replays the step itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor

from fidelity.datasets.part import Batch
from fidelity.training.loop import Step, TrainingLoop

WARM_UP_STEPS = 3
"""Steps before the capture, in which optimizer and libraries allocate what they keep."""

Run = Callable[[], None]

log = logging.getLogger(__name__)


class Recorder(Protocol):
    """Records the kernels of a call, to replay them."""

    def warm_up(self, run: Run) -> None:
        """Call `run` where a capture may follow."""
        ...

    def record(self, run: Run) -> Run:
        """Return a function that repeats `run` on the same memory, without having run it.

        Raises:
            Exception: something in `run` cannot be recorded.
        """
        ...


def captured(loop: TrainingLoop) -> Step:
    """Return the step of a loop that is captured as a CUDA graph; on a CPU the step as it is.

    An optimizer that reads its learning rate from the CPU in each step cannot be captured, and a
    network that is trained by several ranks is not.
    """
    settings = loop.optimizer.param_groups
    suitable = all(group.get("fused") or "capturable" in group for group in settings)
    if loop.data.device.type != "cuda" or not loop.ranks.alone or not suitable:
        return loop.update
    return Captured(loop.update, CudaGraph(loop.optimizer, loop.generator, loop.data.device))


class Captured:
    """A step that is replayed after its warm-up; it stays as it is where the recording fails.

    Args:
        step: on the examples of a batch, with the same operations in each call.
        recorder: of the step.
    """

    def __init__(self, step: Step, recorder: Recorder) -> None:
        self._step = step
        self._recorder = recorder
        self._calls = 0
        self._batch: Batch | None = None  # the memory that the recorded step reads
        self._replay: Run | None = None

    def __call__(self, batch: Batch) -> None:
        """Train on a batch."""
        self._calls += 1
        if self._calls <= WARM_UP_STEPS:
            self._recorder.warm_up(lambda: self._step(batch))
            return
        if self._calls == WARM_UP_STEPS + 1:
            self._record(batch)
        if self._replay is None or self._batch is None or not _fits(batch, self._batch):
            self._step(batch)
            return
        for own, given in zip(self._batch, batch, strict=True):
            if own is not None and given is not None:
                own.copy_(given)
        self._replay()

    def _record(self, batch: Batch) -> None:
        weights = None if batch.weights is None else batch.weights.clone()
        own = Batch(batch.inputs.clone(), batch.targets.clone(), weights)
        try:
            self._replay = self._recorder.record(lambda: self._step(own))
            self._batch = own
        except Exception as error:  # of any library that the network calls
            log.warning(f"a training step cannot be captured as a CUDA graph, so it stays: {error}")


def _fits(batch: Batch, own: Batch) -> bool:
    """Return whether a batch can be copied into the recorded one."""
    return all(
        given is mine is None or (given is not None and mine is not None and _same(given, mine))
        for given, mine in zip(batch, own, strict=True)
    )


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and one.dtype == other.dtype


class CudaGraph:
    """A `Recorder` on a GPU: a training step and its optimizer as one CUDA graph.

    Args:
        optimizer: whose learning rate changes from step to step.
        generator: that the step draws from, besides torch's own.
        device: the GPU.
    """

    def __init__(
        self, optimizer: torch.optim.Optimizer, generator: torch.Generator, device: torch.device
    ) -> None:
        self._optimizer = optimizer
        self._generator = generator
        self._device = device
        self._stream = torch.cuda.Stream(device)

    def warm_up(self, run: Run) -> None:
        """See `Recorder`; on the stream of the capture."""
        current = torch.cuda.current_stream(self._device)
        self._stream.wait_stream(current)
        with torch.cuda.stream(self._stream):
            run()
        current.wait_stream(self._stream)

    def record(self, run: Run) -> Run:
        """See `Recorder`."""
        undo = rate_on_device(self._optimizer, self._device)
        try:
            with torch.cuda.device(self._device):
                graph: Any = torch.cuda.CUDAGraph()
                graph.register_generator_state(self._generator)
                # A thread that reads examples in advance must not end the capture.
                with torch.cuda.graph(
                    graph, stream=self._stream, capture_error_mode="thread_local"
                ):
                    run()
        except Exception:
            undo()
            raise
        replay: Run = graph.replay
        return replay


def rate_on_device(optimizer: torch.optim.Optimizer, device: torch.device) -> Run:
    """Make an optimizer read its learning rate and count its steps on a device.

    Args:
        optimizer: fused, or with the setting `capturable`.
        device: of its parameters.

    Returns:
        A function that takes this back.
    """
    settings = [(group, dict(group)) for group in optimizer.param_groups]
    steps = [(state, state["step"]) for state in optimizer.state.values() if "step" in state]
    for group, _ in settings:
        group["lr"] = torch.tensor(float(group["lr"]), device=device)
        if "capturable" in group:
            group["capturable"] = True
    for state, step in steps:
        if isinstance(step, Tensor):
            state["step"] = step.to(device)

    def undo() -> None:
        for group, before in settings:
            group.update(before)
        for state, step in steps:
            state["step"] = step

    return undo
