"""Checks that need a GPU; on a CPU the same checks are a rehearsal of their code.

Each check takes a device and an empty folder, raises an exception if something is wrong, and
returns what it saw. `gpu.py` runs them first; `tests/test_gpu.py` runs them as tests.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bonas.runners import LocalProcesses
from bonas.strategies.defaults import default_surrogate
from bonas.surrogates.surrogate import mean
from fidelity import Latency
from fidelity.checkpoint import Checkpoint
from fidelity.datasets import digits
from fidelity.history.trial import Status, Trial
from fidelity.objective import Context, evaluate
from fidelity.training.batch_norm import calibrate
from fidelity.training.device_data import copy_to_device
from fidelity.training.distributed import Distributed
from fidelity.training.loop import CALIBRATION_EXAMPLES
from fidelity.training.training import Training
from spaces.cells.cell import CellSpace
from spaces.encoding import Encoder
from spaces.space import sample

SPACE = CellSpace.nasbench201(channels=4, cells=1)
CONFIGURATION = next(
    chosen
    for chosen in sample(SPACE.configuration_space, 20, np.random.default_rng(1))
    if SPACE.architecture(chosen).connected
)
TRAINING = Training(SPACE, digits().subset(384), max_epochs=4, batch_size=64)

Check = Callable[[torch.device, Path], str]


def on(device: torch.device, training: Training = TRAINING) -> Training:
    """The same training on a device."""
    return dataclasses.replace(training, device=str(device))


def close(one: dict[str, Any], other: dict[str, Any], tolerance: float) -> str:
    """Compare the losses of two training runs."""
    differences = [abs(one[name] - other[name]) for name in ("train_loss", "validation_loss")]
    assert max(differences) <= tolerance, f"{one} and {other} differ by more than {tolerance}"
    return f"losses differ by {max(differences):.1e}"


def learns(device: torch.device, folder: Path) -> str:
    """A training lowers its cost and leaves torch's random state as it was."""
    before = random_state(device)
    cost = on(device)(CONFIGURATION, 4)["cost"]
    assert cost < 0.8, f"the error is {cost}"
    assert torch.equal(random_state(device), before), "the random state has changed"
    return f"error {cost:.3f} after 4 epochs"


def random_state(device: torch.device) -> Tensor:
    """The state of torch's own generator on a device."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def resumes_exactly(device: torch.device, folder: Path) -> str:
    """With deterministic algorithms, a resumed training ends as an uninterrupted one."""
    with deterministic():
        whole, resumed = whole_and_resumed(device, folder)
    assert resumed == whole | {"resumed_from": 2}, f"{resumed} is not {whole}"
    return "equal to the last bit"


@contextlib.contextmanager
def deterministic() -> Iterator[None]:
    """Only algorithms that compute the same each time."""
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def whole_and_resumed(
    device: torch.device, folder: Path, training: Training = TRAINING
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The results of four epochs at once, and of twice two."""
    path = folder / "trial-0.pt"
    whole = on(device, training)(CONFIGURATION, 4)
    on(device, training)(CONFIGURATION, 2, 0, Context(Checkpoint(target=path)))
    return whole, on(device, training)(CONFIGURATION, 4, 0, Context(Checkpoint(path)))


def resumes_by_default(device: torch.device, folder: Path) -> str:
    """Without them it ends about the same."""
    whole, resumed = whole_and_resumed(device, folder)
    return close(whole, resumed, 0.2)


def repeats_by_seed(device: torch.device, folder: Path) -> str:
    """The same seed gives the same training, and another one another."""
    first, again, other = (on(device)(CONFIGURATION, 2, seed) for seed in (0, 0, 1))
    assert first["train_loss"] != other["train_loss"]
    return close(first, again, 0.2)


def moves_checkpoints(device: torch.device, folder: Path) -> str:
    """A checkpoint of one kind of device is resumed on the other."""
    path, cpu = folder / "trial-0.pt", torch.device("cpu")
    for first, second in ((cpu, device), (device, cpu)):
        on(first)(CONFIGURATION, 2, 0, Context(Checkpoint(target=path)))
        result = on(second)(CONFIGURATION, 4, 0, Context(Checkpoint(path)))
        assert result["resumed_from"] == 2, f"from {first} to {second}: {result}"
    return "in both directions"


class Greedy(nn.Module):
    """Allocates more than there is."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.head = nn.Linear(64, outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Never return."""
        torch.empty(2**50, device=inputs.device)
        return self.head(inputs.flatten(1))  # type: ignore[no-any-return]


@dataclasses.dataclass(frozen=True)
class GreedySpace(CellSpace):
    """Builds nothing else."""

    def build(self, configuration: Any, input_shape: Any, outputs: int) -> nn.Module:
        """Return a network that exhausts the memory."""
        return Greedy(outputs)


def survives_exhausted_memory(device: torch.device, folder: Path) -> str:
    """It is recorded as `memory`, and the memory is free afterwards."""
    on(device)(CONFIGURATION, 1)
    before = torch.cuda.memory_allocated(device) if device.type == "cuda" else 0
    greedy = dataclasses.replace(TRAINING, space=GreedySpace(channels=4, cells=1))
    trial = Trial(0, CONFIGURATION, "greedy", 1.0)
    evaluation = evaluate(on(device, greedy), trial, Context())
    assert evaluation.status is Status.MEMORY, f"{evaluation.status}: {evaluation.error}"
    after = torch.cuda.memory_allocated(device) if device.type == "cuda" else 0
    on(device)(CONFIGURATION, 1)
    assert after <= before + 2**20, f"{after - before} bytes are still allocated"
    return f"{after - before} bytes more than before"


def trained(device: torch.device) -> nn.Module:
    """A network after two epochs."""
    training = dataclasses.replace(on(device), max_epochs=2)
    return training.final(CONFIGURATION).network


def calibrates_alike(device: torch.device, folder: Path) -> str:
    """Batch normalisation has the statistics that the CPU computes for the same weights."""
    network, cpu = trained(device), torch.device("cpu")
    found = [m.running_mean.cpu() for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    network.to(cpu)
    data, plan = copy_to_device(TRAINING.dataset, cpu), TRAINING.plan({}, seed=0)
    index = plan.order(0, len(data.train))[:CALIBRATION_EXAMPLES]
    inputs = data.normalise(data.number(data.train.inputs[index]))
    calibrate(network, network, inputs.tensor_split(2))
    wanted = [m.running_mean for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    worst = max(float((a - b).abs().max()) for a, b in zip(found, wanted, strict=True))
    assert worst < 0.1, f"means differ by {worst}"
    return f"means differ by {worst:.1e}"


def seen_by_convolutions(device: torch.device) -> list[Tensor]:
    """The outputs of the convolutions of a network in its number format."""
    data, seen = copy_to_device(TRAINING.dataset, device), []
    network = trained(device).eval()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda module, inputs, output: seen.append(output))
    with torch.inference_mode(), data.autocast():
        network(data.normalise(data.number(data.train.inputs[:16])))
    return seen


def computes_in_bfloat16(device: torch.device, folder: Path) -> str:
    """Convolutions compute in bfloat16 where the GPU does."""
    data = copy_to_device(TRAINING.dataset, device)
    expected = torch.bfloat16 if data.bfloat16 else torch.float32
    formats = {output.dtype for output in seen_by_convolutions(device)}
    assert formats == {expected}, f"{formats}, not {expected}"
    return str(expected).removeprefix("torch.")


def keeps_channels_last(device: torch.device, folder: Path) -> str:
    """Convolutions return images with the channels last in memory."""
    outputs = [output for output in seen_by_convolutions(device) if min(output.shape[1:]) > 1]
    last = [output.is_contiguous(memory_format=torch.channels_last) for output in outputs]
    assert all(last), f"{last.count(False)} of {len(last)} are not"
    return f"all of {len(last)}"


def pins_two_workers(device: torch.device, folder: Path) -> str:
    """Two processes share a device, and train as this one does."""
    alone = on(device)(CONFIGURATION, 2)
    with LocalProcesses(2, devices=(str(device),)) as runner:
        for number in range(2):
            trial = Trial(number, CONFIGURATION, "both", 2.0)
            runner.submit(TRAINING, trial, Context())
        both = [runner.wait() for _ in range(2)]
    for evaluation in both:
        assert evaluation.succeeded, evaluation.error
    return "; ".join(close(alone, dict(each.metrics), 0.2) for each in both)


def fits_surrogates(device: torch.device, folder: Path) -> str:
    """A surrogate stays on the device of its observations, and believes what it does on a CPU."""
    space = CellSpace.nasbench201()
    drawn = sample(space.configuration_space, 80, np.random.default_rng(0))
    surrogate = default_surrogate()
    encoding = Encoder(space, 1, paths=surrogate.reads_paths).encode(drawn)
    rows = torch.from_numpy(encoding.rows)
    costs = rows[:, :12] @ torch.linspace(-1, 2, 12, dtype=rows.dtype)[:, None]
    there = rows.to(device)
    model = surrogate.fit(there[:40], costs[:40].to(device), encoding.layout)
    believed = mean(model, there[40:])
    assert believed.device.type == device.type, f"on {believed.device}"
    cpu = mean(surrogate.fit(rows[:40], costs[:40], encoding.layout), rows[40:])
    worst = float((believed.cpu() - cpu).abs().max() / costs.std())
    assert worst < 0.1, f"means differ by {worst} standard deviations"
    return f"means differ by {worst:.1e} standard deviations"


def captures_steps(device: torch.device, folder: Path) -> str:
    """A training with a CUDA graph is the same, in one go and resumed, and no capture fails."""
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    log = logging.getLogger("fidelity.training.capture")
    log.addHandler(handler)
    try:
        captured = dataclasses.replace(TRAINING, cuda_graph=True)
        whole, resumed = whole_and_resumed(device, folder, captured)
    finally:
        log.removeHandler(handler)
    assert messages == [], messages
    eager = on(device)(CONFIGURATION, 4)
    return f"{close(whole, eager, 0.2)}; resumed: {close(whole, resumed, 0.2)}"


def trains_distributed(device: torch.device, folder: Path) -> str:
    """Several processes (one on a machine with one GPU) train like one."""
    cuda = device.type == "cuda"
    processes = min(2, torch.cuda.device_count()) if cuda else 2
    both = Distributed(dataclasses.replace(TRAINING, device=device.type), processes)
    found = close(both(CONFIGURATION, 2), on(device)(CONFIGURATION, 2), 0.3)
    return f"{processes} with {'NCCL' if cuda else 'gloo'}: {found}"


def measures_latency(device: torch.device, folder: Path) -> str:
    """The latency of a network, from Python and, on a GPU, as a CUDA graph."""
    network = SPACE.build(CONFIGURATION, (1, 8, 8), 10).eval()
    kinds = (False, True) if device.type == "cuda" else (False,)
    times = [Latency(str(device), cuda_graph=kind).measure(network, (1, 8, 8)) for kind in kinds]
    return ", ".join(f"{1000 * timing.median:.2f} ms" for timing in times)


CHECKS: tuple[Check, ...] = (
    learns, resumes_exactly, resumes_by_default, repeats_by_seed, moves_checkpoints,
    survives_exhausted_memory, calibrates_alike, computes_in_bfloat16, keeps_channels_last,
    captures_steps, fits_surrogates, measures_latency, pins_two_workers, trains_distributed,
)  # fmt: skip
"""In this order, the quick ones first."""
