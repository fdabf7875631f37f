"""Whole searches on one device, proposals, and fits of surrogates."""

from __future__ import annotations

import dataclasses
import time
from typing import Any, TypedDict

import numpy as np
import torch
from proposal_speed import LARGE, times

from bonas import Search
from bonas.runners import LocalProcesses
from bonas.search.progress import Silent
from bonas.strategies import BayesianOptimization, RandomSearch
from bonas.strategies.defaults import default_surrogate
from bonas.surrogates.surrogate import mean
from fidelity import FullFidelity, Hyperband, Training
from spaces.cells.cell import CellSpace
from spaces.encoding import Encoder
from spaces.space import sample


class Limits(TypedDict, total=False):
    """When a search ends, as for `Search.run`."""

    seconds: float
    evaluations: int


def search(
    device: torch.device, runner: LocalProcesses, kind: str, training: Training, limits: Limits
) -> dict[str, Any]:
    """Search cells, with full training runs at random or by BO and Hyperband."""
    training = dataclasses.replace(training, device=str(device))
    bayesian = kind == "BO and Hyperband"
    strategy = BayesianOptimization() if bayesian else RandomSearch()
    schedule = Hyperband(1, training.max_epochs) if bayesian else FullFidelity(training.max_epochs)
    began = runner.now()
    with Search(training.space, training, strategy=strategy, schedule=schedule, seed=0) as made:
        history = made.run(**limits, runner=runner, progress=Silent())
    spent = runner.now() - began
    best = history.incumbent
    trained = sum(
        evaluation.metrics["epochs"] - evaluation.metrics["resumed_from"]
        for evaluation in history.evaluations
        if evaluation.succeeded and evaluation.reused is None
    )
    return {
        "search": kind,
        "workers": runner.workers,
        "evaluations": len(history),
        "failures": sum(not evaluation.succeeded for evaluation in history.evaluations),
        "epochs_per_hour": 3600 * trained / spent,
        "best_error": None if best is None else best.cost,
    }


def proposal(observations: int) -> dict[str, Any]:
    """Time a proposal of Bayesian optimization as a search makes it, which is on the CPU."""
    [seconds] = times(LARGE, observations, 1)
    return {"device": "cpu", "observations": observations, "proposal": seconds}


def fit(device: torch.device, observations: int) -> dict[str, Any]:
    """Time the fit of the default surrogate, and its belief about 1000 candidates."""
    space, surrogate = CellSpace.nasbench201(), default_surrogate()
    rng = np.random.default_rng(0)
    drawn = sample(space.configuration_space, min(observations + 1000, 12000), rng)
    encoding = Encoder(space, 1, paths=surrogate.reads_paths).encode(drawn)
    every = torch.from_numpy(encoding.rows)
    index = torch.from_numpy(rng.integers(len(every), size=observations))
    rows = every[index].to(device)
    costs = rows[:, :12] @ torch.linspace(-1, 2, 12, dtype=rows.dtype, device=device)[:, None]
    costs = costs + 0.3 * torch.randn(costs.shape, dtype=rows.dtype).to(device)
    candidates = every[:1000].to(device)
    _wait(device)
    began = time.perf_counter()
    model = surrogate.fit(rows, costs, encoding.layout)
    _wait(device)
    fitted = time.perf_counter()
    float(mean(model, candidates).sum())
    return {
        "device": device.type,
        "observations": observations,
        "fit": fitted - began,
        "candidates": time.perf_counter() - fitted,
    }


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
