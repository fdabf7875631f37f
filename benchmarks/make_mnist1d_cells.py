"""Makes the table `fidelity/tables/mnist1d_cells.npz`: trains every cell of a small space.

    OMP_NUM_THREADS=1 python benchmarks/make_mnist1d_cells.py --journal cells.jsonl

Each canonical cell of `MNIST1DCells.space` is trained by `fidelity.Training` to 27 epochs from
each seed, once, and validated after each epoch: since the learning rate follows one curve over
all 27 epochs, that single training gives the true cost at every budget. Each finished network is
a line of the journal, so the script may be killed at any moment and goes on when it is started
again. Cells are trained in a random order, so that whatever else the machine does meets
all kinds of cells alike. When the journal is complete, the table and a JSON file that says
how, when and where it was made are written beside `mnist1d_cells.py`.

Seconds are CPU seconds of the process (`time.process_time`), validation included: other processes
on the same machine disturb them less than wall time.
"""

from __future__ import annotations

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ConfigSpace import Configuration

from fidelity.datasets import mnist1d
from fidelity.objective import Context
from fidelity.tables.mnist1d_cells import EPOCHS, SEEDS, SETTINGS, SPACE
from fidelity.training import Training
from spaces.space import configuration

TABLES = Path(__file__).parents[1] / "fidelity" / "tables"
WARM_UP = "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+|none~0|nor_conv_3x3~1|skip_connect~2|"


@dataclass
class Timed(Context):
    """A context that notes the CPU time of each report."""

    times: list[float] = field(default_factory=lambda: [time.process_time()])

    def report(self, step: float, cost: float) -> None:
        """Records the cost, and when it was known."""
        super().report(step, cost)
        self.times.append(time.process_time())


def cells() -> dict[str, str]:
    """One cell for each connected network of the space, by its canonical key."""
    space = SPACE.configuration_space
    found: dict[str, str] = {}
    for chosen in product(SPACE.operations, repeat=len(SPACE.edges)):
        cell = configuration(space, dict(zip(space, chosen, strict=True)))
        architecture = SPACE.architecture(cell)
        if architecture.connected:
            found.setdefault(architecture.key, SPACE.to_string(cell))
    return found


def train(training: Training, cell: Configuration, seed: int) -> dict[str, Any]:
    """One line of the journal."""
    wall, context = time.monotonic(), Timed()
    final = training.final(cell, seed, context)
    wrong = [error * len(training.dataset.validation) for _, error in context.curve]
    return {
        "cell": SPACE.to_string(cell),
        "seed": seed,
        "wrong": [round(count) for count in wrong],
        "test_wrong": round(final.test_error * len(training.dataset.test)),
        "seconds": np.diff(context.times).round(6).tolist(),
        "wall_seconds": round(time.monotonic() - wall, 3),
        "parameters": final.parameters,
        "load": round(os.getloadavg()[0], 2),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def read(journal: Path) -> list[dict[str, Any]]:
    """The finished networks; a last line that a kill has torn is cut off the file.

    Raises:
        ValueError: the journal was made with other settings.
    """
    header = json.dumps({"settings": SETTINGS, "epochs": EPOCHS, "channels": SPACE.channels})
    if not journal.exists():
        journal.write_text(header + "\n")
    text = journal.read_text()
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        journal.write_text(whole)
    first, *lines = whole.splitlines()
    if first != header:
        raise ValueError(f"{journal} was made with {first}, not with {header}: name another file")
    return [json.loads(line) for line in lines]


def remaining(records: list[dict[str, Any]]) -> Iterator[tuple[str, int]]:
    """The cells and seeds to train, in a random order that is the same after a kill."""
    done = {(record["cell"], record["seed"]) for record in records}
    names = list(cells().values())
    for seed in SEEDS:
        for position in np.random.default_rng(seed).permutation(len(names)):
            if (names[position], seed) not in done:
                yield names[position], seed


def main() -> None:
    """Trains what is not in the journal, then writes the table."""
    parser = argparse.ArgumentParser(description="Makes the table of MNIST1DCells.")
    parser.add_argument("--journal", type=Path, required=True, help="finished networks")
    parser.add_argument("--output", type=Path, default=TABLES, help="the folder of the table")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    training = Training(SPACE, mnist1d(), EPOCHS, device="cpu", **SETTINGS)
    records = read(arguments.journal)
    train(training, SPACE.from_string(WARM_UP), 0)  # the first of a process is slower
    with arguments.journal.open("a") as file:
        for number, (cell, seed) in enumerate(remaining(records)):
            record = train(training, SPACE.from_string(cell), seed)
            file.write(json.dumps(record) + "\n")
            file.flush()
            if number % 20 == 0:
                print(number, cell, seed, record["wrong"][-1], record["wall_seconds"], flush=True)


if __name__ == "__main__":
    main()
