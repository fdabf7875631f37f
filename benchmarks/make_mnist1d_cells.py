"""Make the table `fidelity/tables/mnist1d_cells.npz`: train every cell of a small space.

    OMP_NUM_THREADS=1 python benchmarks/make_mnist1d_cells.py --journal cells.jsonl

Each canonical cell of `MNIST1DCells.space` is trained by `fidelity.Training` to 27 epochs from
each seed, once, and validated after each epoch: since the learning rate follows one curve over
all 27 epochs, that single training gives the true cost at every budget. Each finished network is
a line of the journal, so the script may be killed at any moment and resumes when it is started
again. Cells are trained in a random order, so that other load on the machine affects all kinds of
cells alike. When the journal is complete, the table and a JSON file that says how, when and where
it was made are written next to `mnist1d_cells.py`.

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
from dataclasses import dataclass, field, fields
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ConfigSpace import Configuration
from jaxtyping import Float64
from scipy.stats import spearmanr

from fidelity.objective import Context
from fidelity.tables.mnist1d_cells import (
    EPOCHS,
    FILE,
    OPERATIONS,
    SEEDS,
    SPACE,
    TEST_IMAGES,
    VALIDATION_IMAGES,
    MNIST1DCells,
    Records,
)
from fidelity.training.training import Training
from spaces.resources.resources import cost
from spaces.space import configuration

WARM_UP = "|nor_conv_3x3~0|+|avg_pool_3x3~0|skip_connect~1|+" + "|".join(
    ["", "skip_connect~0", "nor_conv_3x3~1", "skip_connect~2", ""]
)
Record = dict[str, Any]
"""A line of the journal: one network, trained from one seed."""


@dataclass
class Timed(Context):
    """A context that notes the CPU time of each report."""

    times: list[float] = field(default_factory=lambda: [time.process_time()])

    def report(self, step: float, cost: float) -> None:
        """Record the cost and the CPU time."""
        super().report(step, cost)
        self.times.append(time.process_time())


def cells() -> dict[str, str]:
    """One cell for each network of the space, by its canonical key."""
    space = SPACE.configuration_space
    found: dict[str, str] = {}
    for chosen in product(SPACE.operations, repeat=len(SPACE.edges)):
        cell = configuration(space, dict(zip(space, chosen, strict=True)))
        found.setdefault(SPACE.architecture(cell).key, SPACE.to_string(cell))
    return found


def settings(training: Training) -> dict[str, Any]:
    """The settings of `Training` for every network."""
    numbers = {f.name: getattr(training, f.name) for f in fields(training)}
    chosen = {name: value for name, value in numbers.items() if name not in ("space", "dataset")}
    return {**chosen, "augment": len(training.dataset.augment), "dataset": training.dataset.name}


def train(training: Training, cell: Configuration, seed: int) -> Record:
    """One line of the journal."""
    wall, context = time.monotonic(), Timed()
    final = training.final(cell, seed, context)
    return {
        "cell": SPACE.to_string(cell),
        "seed": seed,
        "wrong": [round(error * VALIDATION_IMAGES) for _, error in context.curve],
        "test_wrong": round(final.test_cost * TEST_IMAGES),
        "seconds": np.diff(context.times).round(6).tolist(),
        "wall_seconds": round(time.monotonic() - wall, 3),
        "parameters": final.parameters,
        "load": round(os.getloadavg()[0], 2),
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }


def read(journal: Path, training: Training) -> list[Record]:
    """Read the finished networks; cut off a torn last line.

    Raises:
        ValueError: the journal was made with other settings.
    """
    header = json.dumps(settings(training))
    if not journal.exists():
        journal.write_text(header + "\n", encoding="utf-8")
    text = journal.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        journal.write_text(whole, encoding="utf-8")
    first, *lines = whole.splitlines()
    if first != header:
        raise ValueError(f"{journal} was made with {first}, not with {header}: name another file")
    return [json.loads(line) for line in lines]


def remaining(records: list[Record]) -> Iterator[tuple[str, int]]:
    """The cells and seeds to train, in a random order that is the same after a kill."""
    done = {(record["cell"], record["seed"]) for record in records}
    names = list(cells().values())
    for seed in SEEDS:
        for position in np.random.default_rng(seed).permutation(len(names)):
            if (names[position], seed) not in done:
                yield names[position], seed


def assemble(records: list[Record], training: Training) -> Records:
    """The table of a complete journal."""
    found = {(record["cell"], record["seed"]): record for record in records}
    names = list(cells().values())
    rows = [[found[name, seed] for name in names] for seed in SEEDS]
    shape, classes = training.dataset.input_shape, training.dataset.outputs
    multiply_adds, edges = [], []
    for name in names:
        cell = SPACE.from_string(name)
        with torch.device("meta"):
            multiply_adds.append(cost(SPACE.build(cell, shape, classes), shape).multiply_adds)
        edges.append([OPERATIONS.index(cell[edge]) for edge in SPACE.configuration_space])
    return Records(
        cells=np.array(edges, np.uint8),
        wrong=np.array([[r["wrong"] for r in row] for row in rows], np.uint16),
        seconds=np.array([[r["seconds"] for r in row] for row in rows], np.float32),
        test_wrong=np.array([[r["test_wrong"] for r in row] for row in rows], np.uint16),
        parameters=np.array([r["parameters"] for r in rows[0]], np.uint32),
        multiply_adds=np.array(multiply_adds, np.uint32),
    )


def rank_correlation(
    one: Float64[np.ndarray, " networks"], other: Float64[np.ndarray, " networks"]
) -> float:
    """Spearman's rank correlation, to three digits."""
    return round(float(spearmanr(one, other).statistic), 3)


def measured(table: Records) -> dict[str, Any]:
    """The spread of errors, and how well low budgets predict the last one."""
    errors = table.wrong.mean(0) / VALIDATION_IMAGES
    last, first_seed = errors[:, -1], table.wrong[0].astype(np.float64)
    test = table.test_wrong.mean(0)
    return {
        "networks": len(last),
        "validation_error_quantiles": {
            str(q): round(float(np.quantile(last, q)), 4) for q in (0, 0.01, 0.25, 0.5, 0.75, 1)
        },
        "spearman_with_27_epochs_mean_of_seeds": {
            str(epoch): rank_correlation(errors[:, epoch - 1], last) for epoch in (1, 3, 9)
        },
        "spearman_with_27_epochs_seed_0": {
            str(epoch): rank_correlation(first_seed[:, epoch - 1], first_seed[:, -1])
            for epoch in (1, 3, 9)
        },
        "spearman_between_seeds_at_27_epochs": rank_correlation(
            first_seed[:, -1], table.wrong[1, :, -1].astype(np.float64)
        ),
        "spearman_of_validation_and_test_error": rank_correlation(last, test),
        "test_error_of_the_best_by_validation": float(test[last.argmin()]) / TEST_IMAGES,
        "seconds_of_a_training": {
            str(q): round(float(np.quantile(table.seconds.sum(2), q)), 3) for q in (0, 0.5, 1)
        },
        "seconds_in_all": round(float(table.seconds.sum(dtype=np.float64)), 1),
    }


def processor() -> str:
    """The model of the processor, if the system reports it."""
    information = Path("/proc/cpuinfo")
    lines = information.read_text(encoding="utf-8").splitlines() if information.exists() else []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def description(
    records: list[Record], table: Records, training: Training, note: str
) -> dict[str, Any]:
    """When, where and how the table was made."""
    dates, loads = [r["date"] for r in records], [r["load"] for r in records]
    packages = ("torch", "numpy", "mnist1d", "ConfigSpace")
    return {
        "made_by": "benchmarks/make_mnist1d_cells.py",
        "note": note,
        "first_network": min(dates),
        "last_network": max(dates),
        "machine": {
            "processor": processor(),
            "architecture": platform.machine(),
            "instructions": torch.backends.cpu.get_cpu_capability(),
            "cores": os.cpu_count(),
            "threads_of_a_training": torch.get_num_threads(),
            "load_average": {"median": float(np.median(loads)), "most": max(loads)},
        },
        "versions": {
            "python": platform.python_version(),
            **{name: importlib.metadata.version(name) for name in packages},
        },
        "space": {
            "operations": list(SPACE.operations),
            "nodes": SPACE.nodes,
            "channels": SPACE.channels,
            "cells": SPACE.cells,
            "stages": SPACE.stages,
        },
        "training": settings(training),
        "seeds": list(SEEDS),
        "epochs": EPOCHS,
        "seconds": "CPU seconds of the process in each epoch, validation included",
        "measured": measured(table),
    }


def main() -> None:
    """Train what the journal lacks, then write the table."""
    parser = argparse.ArgumentParser(description="Make the table of MNIST1DCells.")
    parser.add_argument("--journal", type=Path, required=True, help="finished networks")
    parser.add_argument("--output", type=Path, default=FILE.parent, help="the folder of the table")
    parser.add_argument("--note", default="", help="a note for the JSON file")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    training = MNIST1DCells().training()
    todo = list(remaining(read(arguments.journal, training)))
    if todo:
        train(training, SPACE.from_string(WARM_UP), 0)  # the first run of a process is slower
    with arguments.journal.open("a", encoding="utf-8") as file:
        for number, (cell, seed) in enumerate(todo):
            record = train(training, SPACE.from_string(cell), seed)
            file.write(json.dumps(record) + "\n")
            file.flush()
            if number % 20 == 0:
                print(f"{number} of {len(todo)}: {record['wall_seconds']} s", flush=True)
    records = read(arguments.journal, training)
    table = assemble(records, training)
    arrays = {f.name: getattr(table, f.name) for f in fields(table)}
    np.savez_compressed(arguments.output / FILE.name, **arrays)
    text = json.dumps(description(records, table, training, arguments.note), indent=2)
    (arguments.output / FILE.with_suffix(".json").name).write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
