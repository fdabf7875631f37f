"""A space of numbers, in which every test decides what an evaluation costs and takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from torch import nn

from bonas.runners.runner import Runner
from bonas.search.progress import Silent
from bonas.search.search import Search
from fidelity.history.history import History
from fidelity.history.trial import Trial
from fidelity.schedules import FullFidelity, Schedule
from spaces.architecture.architecture import Architecture, chain
from spaces.space import InputShape, Space, configuration


class Numbers:
    """Each number is a network of its own."""

    configuration_space = ConfigurationSpace({"number": (0, 1_000_000)})

    def architecture(self, configuration: Configuration) -> Architecture:
        return chain([str(configuration["number"])])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        raise NotImplementedError


@dataclass(frozen=True)
class Counting:
    """Proposes the numbers in turn, `repeats` times each."""

    repeats: int = 1

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        number = len(history.trials) // self.repeats
        return configuration(space.configuration_space, {"number": number})


def trial(number: int, budget: float = 1.0) -> Trial:
    chosen = configuration(Numbers.configuration_space, {"number": number})
    return Trial(number, chosen, str(number), budget)


def taking(*seconds: float) -> Callable[[Configuration], dict[str, float]]:
    """An objective that takes these seconds for the first numbers, and again from the start."""

    def objective(configuration: Configuration) -> dict[str, float]:
        number = int(configuration["number"])
        return {"cost": float(number), "seconds": seconds[number % len(seconds)]}

    return objective


def made(
    objective: Any,
    schedule: Schedule | None = None,
    repeats: int = 1,
    directory: Path | None = None,
    objectives: Sequence[str] = ("cost",),
) -> Search:
    return Search(
        Numbers(),
        objective,
        strategy=Counting(repeats),
        schedule=schedule or FullFidelity(),
        directory=directory,
        objectives=objectives,
    )


def run(search: Search, runner: Runner, **limits: Any) -> History:
    return search.run(runner=runner, progress=Silent(), **limits)


def spans(history: History) -> list[tuple[int, float, float]]:
    """Number, beginning and end of each evaluation, in the order in which they ended."""
    return [(e.trial.number, e.started, e.started + e.seconds) for e in history.evaluations]
