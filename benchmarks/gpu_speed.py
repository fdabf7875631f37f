"""Images per second of the training loop, compared with a loop written by hand, on one device."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from gpu_networks import OUTPUTS, Fixed
from torch import Tensor

from fidelity.augment import HorizontalFlip, PadCrop
from fidelity.datasets import from_arrays
from fidelity.datasets.dataset import Dataset
from fidelity.training.capture import Captured, captured
from fidelity.training.device_data import DeviceData, copy_to_device
from fidelity.training.loop import TrainingLoop
from fidelity.training.networks import move_network
from fidelity.training.training import Training

WARM_UP = 10
"""Steps before a measurement: allocations, the choice of algorithms, and the capture."""


@dataclass(frozen=True)
class Case:
    """A network and how it is trained.

    Attributes:
        space: of the one network.
        batch_size: examples per step.
        graph: whether the step of `Training` is captured.
        examples: of the data set.
    """

    space: Fixed
    batch_size: int
    graph: bool
    examples: int


@cache
def noise(examples: int) -> Dataset:
    """Images of 3x32x32: speed does not depend on the content."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (examples, 3, 32, 32), dtype=np.uint8)
    labels = np.arange(examples) % OUTPUTS
    augment = (PadCrop(4), HorizontalFlip())
    return from_arrays(images, labels, validation=0.1, test=0.1, augment=augment, name="noise")


def synchronise(device: torch.device) -> None:
    """Wait for the device."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def timed(step: Callable[[], None], device: torch.device, seconds: float) -> float:
    """Return the seconds per call, over about `seconds` of calls."""
    for _ in range(WARM_UP if device.type == "cuda" else 1):
        step()
    synchronise(device)
    began, calls = time.perf_counter(), 0
    while True:
        for _ in range(10 if device.type == "cuda" else 1):
            step()
            calls += 1
        synchronise(device)
        if (spent := time.perf_counter() - began) >= seconds:
            return spent / calls


def started(case: Case, device: torch.device) -> TrainingLoop:
    """Return a loop of `Training` at step 0."""
    training = Training(case.space, noise(case.examples), 1, case.batch_size, device=str(device))
    data = copy_to_device(training.dataset, device)
    torch.manual_seed(0)
    network = case.space.make(*case.space.arguments)
    move_network(network, device)
    return TrainingLoop(network, data, training.plan({}, seed=0))


def batch_of(data: DeviceData, size: int, number: int) -> Any:
    """Return batch `number` of a training, in a random order like that of the loop."""
    order = torch.arange(len(data.train), device=data.device).roll(number * 7919)[:size]
    return next(iter(data.train.batches(order, size)))


def training_step(case: Case, device: torch.device) -> tuple[Callable[[], None], bool]:
    """Return a step of `Training`, and whether it is to be captured."""
    loop = started(case, device)
    loop.network.train()
    update = captured(loop) if case.graph else loop.update

    def step() -> None:
        update(batch_of(loop.data, case.batch_size, loop.step))
        loop.step += 1

    return step, isinstance(update, Captured)


def by_hand(case: Case, device: torch.device) -> Callable[[], None]:
    """Return a step of a loop for this one case, in the manner of airbench (Jordan 2024).

    All images lie normalised on the device, augmentation is batched, memory is channels last, the
    optimizer is fused.
    """
    data = copy_to_device(noise(case.examples), device)
    network = case.space.make(*case.space.arguments).to(device)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # by torch
    network.train()
    optimizer = torch.optim.SGD(
        network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True, fused=True
    )
    images = data.normalise(data.number(data.train.inputs))
    if data.bfloat16:
        images = images.bfloat16()
    padded = F.pad(images, (4, 4, 4, 4))
    state = {"step": 0}

    def step() -> None:
        order = torch.arange(len(images), device=device).roll(state["step"] * 7919)
        index = order[: case.batch_size]
        inputs = cropped(padded[index], 32)
        optimizer.param_groups[0]["lr"] = 0.1 * max(0.0, 1 - state["step"] / 1e6)
        optimizer.zero_grad()
        with data.autocast():
            outputs = network(inputs)
        F.cross_entropy(outputs.float(), data.train.targets[index]).backward()
        optimizer.step()
        state["step"] += 1

    return step


def cropped(padded: Tensor, size: int) -> Tensor:
    """Crop and flip a batch at random."""
    count, device = len(padded), padded.device
    shifts = torch.randint(padded.shape[2] - size + 1, (2, count, 1), device=device)
    rows, columns = shifts + torch.arange(size, device=device)
    columns = torch.where(torch.rand(count, 1, device=device) < 0.5, columns.flip(1), columns)
    index = torch.arange(count, device=device)[:, None, None]
    return padded[index, :, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


def images_per_second(case: Case, device: torch.device, seconds: float) -> dict[str, Any]:
    """Measure `Training` and the loop by hand, interleaved twice; the better of two counts."""
    step, is_captured = training_step(case, device)
    hand = by_hand(case, device)
    ours, theirs = [], []
    for _ in range(2):
        theirs.append(timed(hand, device, seconds / 4))
        ours.append(timed(step, device, seconds / 4))
    return {
        "network": case.space.name,
        "batch": case.batch_size,
        "graph": case.graph,
        "captured": is_captured,
        "training": case.batch_size / min(ours),
        "by_hand": case.batch_size / min(theirs),
        "ratio": min(theirs) / min(ours),
    }


def parts(case: Case, device: torch.device, seconds: float) -> dict[str, Any]:
    """Return where the time of a step goes, in milliseconds, and an evaluation's.

    Parts overlap on a GPU, so that they need not add up to the step. `launches` is the time until
    the calls of a step return, without waiting for the device: where it is the time of the step,
    the GPU waits for the CPU.
    """
    loop = started(case, device)
    loop.network.train()
    batch = batch_of(loop.data, case.batch_size, 0)
    inputs = loop.data.number(batch.inputs)

    def augment() -> None:
        images = inputs
        for each in loop.plan.augment:
            images = each(images, loop.generator)

    def forward() -> None:
        with torch.no_grad(), loop.data.autocast():
            loop.network(loop.data.normalise(inputs))

    share = seconds / 5
    found = {"step": timed(lambda: loop.update(batch), device, share)}
    found |= {"augmentation": timed(augment, device, share)}
    found |= {"forward": timed(forward, device, share)}
    found |= {"optimizer": timed(lambda: loop.optimizer.step() and None, device, share)}
    found |= {"launches": launches(lambda: loop.update(batch), device)}
    synchronise(device)
    began = time.perf_counter()
    loop.evaluate(loop.data.validation)
    synchronise(device)
    found["evaluation"] = time.perf_counter() - began
    milliseconds = {name: 1000 * value for name, value in found.items()}
    return {"network": case.space.name, "batch": case.batch_size, **milliseconds}


def launches(step: Callable[[], None], device: torch.device) -> float:
    """Return the seconds until a step returns, at the best of five on an idle device."""
    found = []
    for _ in range(5):
        synchronise(device)
        began = time.perf_counter()
        step()
        found.append(time.perf_counter() - began)
    return min(found)


def shared(case: Case, device: torch.device, seconds: float, trials: int) -> dict[str, Any]:
    """Return images per second of several trials on one device, in processes of their own."""
    context = get_context("spawn")
    barrier, results = context.Barrier(trials), context.Queue()
    arguments = (case, str(device), seconds, barrier, results)
    processes = [context.Process(target=_one, args=arguments) for _ in range(trials)]
    for process in processes:
        process.start()
    try:
        found = [results.get(timeout=120 + seconds) for _ in processes]
    finally:
        for process in processes:
            process.kill()
            process.join()
    name, size = case.space.name, case.batch_size
    return {"network": name, "batch": size, "graph": case.graph, "trials": trials} | {
        "images_per_second": sum(found)
    }


def _one(case: Case, device: str, seconds: float, barrier: Any, results: Any) -> None:
    torch.set_num_threads(1)
    step, _ = training_step(case, torch.device(device))
    timed(step, torch.device(device), 0.0)
    barrier.wait(120)
    results.put(case.batch_size / timed(step, torch.device(device), seconds))
