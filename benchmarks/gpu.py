"""Everything that only a GPU can answer, in one command and a few minutes.

    python benchmarks/gpu.py --minutes 8         # or: make gpu
    python benchmarks/gpu.py --cpu-rehearsal     # every step at toy size, on a CPU

In this order: the checks of `gpu_checks.py`; images per second of `Training` compared with a loop
written by hand; where the time goes; several trials per device; whole searches; fits of surrogates.
Nothing is downloaded. After each step the results are in results/gpu.json and the page in
results/gpu.md (of a rehearsal: in results/quick/), so that a run that is cut off still reports.
Steps that no longer fit into the time are listed as left out; a step that fails is reported and
does not end the run. If any step failed, the exit code is 1.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Read by cuBLAS when it starts; deterministic algorithms need it.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import torch
from gpu_checks import CHECKS, Check
from gpu_networks import NETWORKS, TOYS
from gpu_page import page
from gpu_search import Limits, fit, proposal, search
from gpu_speed import Case, images_per_second, parts, shared

from bonas.runners import LocalProcesses
from fidelity import Training
from fidelity.datasets import digits
from spaces import CellSpace

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Step:
    """One step of the run.

    Attributes:
        section: of the page.
        name: of the step.
        seconds: that it takes at least; it is left out where less time remains.
        call: returns a row of results.
    """

    section: str
    name: str
    seconds: float
    call: Callable[[], dict[str, Any]]


@dataclass
class Report:
    """The results so far, written after each step."""

    folder: Path
    machine: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, step: Step, row: dict[str, Any]) -> None:
        """Record a row and write both files."""
        self.rows.append({"section": step.section, "name": step.name, **row})
        self.folder.mkdir(parents=True, exist_ok=True)
        written = {"machine": self.machine, "rows": self.rows}
        text = json.dumps(written, indent=1, default=str) + "\n"
        (self.folder / "gpu.json").write_text(text, encoding="utf-8")
        (self.folder / "gpu.md").write_text(page(self.machine, self.rows), encoding="utf-8")


def checked(check: Check, device: torch.device) -> dict[str, Any]:
    """Run a check in an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        return {"result": check(device, Path(folder))}


def steps(device: torch.device, rehearsal: bool, share: float) -> Iterator[Step]:
    """Yield all steps in order; `share` scales their times."""
    for check in CHECKS:
        call = functools.partial(checked, check, device)
        yield Step("checks", check.__name__.replace("_", " "), 0.0, call)
    examples, batches = (400, (16,)) if rehearsal else (20000, (128, 512, 1024))
    second = 0.02 if rehearsal else 2.0 * share
    networks = TOYS if rehearsal else NETWORKS
    for network in networks:
        for size in batches:
            for graph in (False, True):
                case = Case(network, size, graph, examples)
                call = functools.partial(images_per_second, case, device, second)
                yield Step("speed", f"{network.name}, batch {size}", 2 * second, call)
    for network in networks:
        case = Case(network, batches[0], False, examples)
        call = functools.partial(parts, case, device, second)
        yield Step("parts", network.name, 2 * second, call)
    counts = (1, 2) if rehearsal else (1, 2, 4, 8)
    for graph in (False, True):
        for trials in counts[graph:]:
            case = Case(networks[0], batches[0], graph, examples)
            call = functools.partial(shared, case, device, second, trials)
            yield Step("shared", f"{trials} trials", 10 * second, call)
    yield from searches(device, rehearsal, 40.0 * share)
    for observations in (10, 20, 40) if rehearsal else (200, 2000, 20000):
        large = 60.0 if observations > 2000 else 0.0
        call = functools.partial(proposal, observations)
        yield Step("proposals", f"{observations}, a proposal", large, call)
        for own in dict.fromkeys((device, torch.device("cpu"))):
            call = functools.partial(fit, own, observations)
            least = large if own.type == "cpu" else 0.0
            yield Step("proposals", f"{observations}, a fit on {own.type}", least, call)


def searches(device: torch.device, rehearsal: bool, seconds: float) -> Iterator[Step]:
    """Yield the whole searches, whose workers are the same."""
    channels, cells, epochs = (2, 1, 3) if rehearsal else (16, 2, 27)
    space = CellSpace.nasbench201(channels=channels, cells=cells)
    dataset = digits().subset(256) if rehearsal else digits()
    training = Training(space, dataset, max_epochs=epochs, batch_size=64)
    limits: Limits = {"evaluations": 12} if rehearsal else {"seconds": seconds}
    with LocalProcesses(1 if rehearsal else 4, devices=(str(device),)) as runner:
        for kind in ("BO and Hyperband", "random"):
            call = functools.partial(search, device, runner, kind, training, limits)
            yield Step("search", kind, seconds, call)


def machine(device: torch.device, rehearsal: bool, minutes: float) -> dict[str, Any]:
    """Describe where this runs."""
    cuda = device.type == "cuda"
    return {
        "date": time.strftime("%Y-%m-%d"),
        "rehearsal": rehearsal,
        "minutes": minutes,
        "device": torch.cuda.get_device_name(device) if cuda else "CPU",
        "devices": torch.cuda.device_count() if cuda else 0,
        "bfloat16": cuda and torch.cuda.is_bf16_supported(including_emulation=False),
        "torch": torch.__version__,
        "cuda": torch.version.cuda,
        "python": sys.version.split()[0],
        "cores": os.cpu_count(),
    }


def run(step: Step, left: float) -> dict[str, Any]:
    """Return the row of a step, whatever happens in it."""
    if left < step.seconds:
        return {"left_out": f"{left:.0f} seconds were left"}
    began = time.perf_counter()
    try:
        row = step.call()
    except Exception as error:
        lines = traceback.format_exc().splitlines()[-6:]
        row = {"failed": f"{type(error).__name__}: {error}", "traceback": lines}
    return {**row, "took": time.perf_counter() - began}


def main() -> None:
    """Run all steps that fit into the time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--cpu-rehearsal", action="store_true")
    parser.add_argument("--results", type=Path, help="a folder")
    arguments = parser.parse_args()
    rehearsal = arguments.cpu_rehearsal
    if not rehearsal and not torch.cuda.is_available():
        parser.error("torch sees no GPU here: --cpu-rehearsal runs every step on the CPU")
    device = torch.device("cpu") if rehearsal else torch.device("cuda", 0)
    if rehearsal:
        torch.set_num_threads(1)
    end = time.perf_counter() + 60 * arguments.minutes
    folder = arguments.results or (RESULTS / "quick" if rehearsal else RESULTS)
    report = Report(folder, machine(device, rehearsal, arguments.minutes))
    for step in steps(device, rehearsal, arguments.minutes / 8):
        row = run(step, end - time.perf_counter())
        report.add(step, row)
        print(f"{step.section}: {step.name}: {row}", flush=True)
    print(f"the results are in {folder / 'gpu.md'}")
    sys.exit(any("failed" in row for row in report.rows))


if __name__ == "__main__":
    main()
