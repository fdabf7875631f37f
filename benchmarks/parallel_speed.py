"""What parallel workers bring, and what they cost for each trial.

    python benchmarks/parallel_speed.py [--dask]

Speed: evaluations in a second with two local processes by those with one, for a training that
computes for about one second of one core. Overhead: seconds for each trial of an objective that
does nothing, by those of the same search in this process; both are read from medians of runs that
take turns. A machine that does something else meanwhile makes the numbers worse.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from torch import nn

from bonas import Search
from bonas.progress import Silent
from bonas.runners import InProcess, LocalProcesses, Runner
from bonas.strategies import RandomSearch
from fidelity import FullFidelity
from spaces.architecture import Architecture, chain
from spaces.space import InputShape


class Numbers:
    """Each number is a network of its own."""

    configuration_space = ConfigurationSpace({"number": (0, 10**9)})

    def architecture(self, configuration: Configuration) -> Architecture:
        """A chain of one operation, the number."""
        return chain([str(configuration["number"])])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        """Nothing is built."""
        raise NotImplementedError


def nothing(configuration: Configuration) -> float:
    """Costs nothing."""
    return 1.0


def second(configuration: Configuration) -> float:
    """Computes for about one second of processor time."""
    end = time.process_time() + 1.0
    total = 0.0
    matrix = np.ones((64, 64))
    while time.process_time() < end:
        total += float((matrix @ matrix)[0, 0])
    return total


def seconds(runner: Runner, objective: Callable[[Configuration], float], trials: int) -> float:
    """How long so many evaluations take; workers that are started first are not counted."""
    with Search(Numbers(), objective, strategy=RandomSearch(), schedule=FullFidelity()) as search:
        first = runner.workers
        search.run(evaluations=first, runner=runner, progress=Silent())
        start = time.perf_counter()
        search.run(evaluations=first + trials, runner=runner, progress=Silent())
        return time.perf_counter() - start


def overhead(runner: Runner, trials: int, repeats: int) -> float:
    """Milliseconds for each trial beyond what the search in this process takes."""
    differences = []
    for _ in range(repeats):
        own = seconds(InProcess(), nothing, trials)
        differences.append((seconds(runner, nothing, trials) - own) / trials)
    return 1000 * statistics.median(differences)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dask", action="store_true", help="measure Dask too")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with LocalProcesses(1) as one, LocalProcesses(2) as two:
        times = [
            (seconds(one, second, 10), seconds(two, second, 10)) for _ in range(options.repeats)
        ]
        ratio = statistics.median(alone / together for alone, together in times)
        print(f"two local processes by one: {ratio:.2f} times the evaluations")
        cost = overhead(one, options.trials, options.repeats)
        print(f"overhead of a local process: {cost:.2f} ms a trial")
    if options.dask:
        from distributed import Client

        from bonas.runners import Dask

        with (
            Client(n_workers=1, threads_per_worker=1, dashboard_address=":0") as client,
            Dask(client) as runner,
        ):
            cost = overhead(runner, options.trials, options.repeats)
            print(f"overhead of Dask: {cost:.2f} ms a trial")


if __name__ == "__main__":
    main()
