"""The speed-up of parallel workers, and their overhead per trial.

    python benchmarks/parallel_speed.py

Speed: the throughput of two local processes over that of one, for a training run that computes for
about one second on one core. Overhead: the seconds per trial of an objective that does nothing,
beyond those of the same search in this process; both are medians of interleaved runs. Idle: the
time that a worker waits between two trials when each proposal computes for half a second. Other
load on the machine makes the numbers worse.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from distributed import Client
from torch import nn

from bonas import Search
from bonas.runners import Dask, InProcess, LocalProcesses, Runner
from bonas.search.progress import Silent
from bonas.strategies import RandomSearch
from fidelity import FullFidelity, History
from spaces.architecture.architecture import Architecture, chain
from spaces.space import InputShape, Space, sample


class Numbers:
    """A space in which each number is a network of its own."""

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
    """Return a cost at once."""
    return 1.0


def second(configuration: Configuration) -> float:
    """Compute for about one second of processor time."""
    end = time.process_time() + 1.0
    total = 0.0
    matrix = np.ones((64, 64))
    while time.process_time() < end:
        total += float((matrix @ matrix)[0, 0])
    return total


def work(seconds: float) -> float:
    """The wall time of computing for a number of seconds of processor time."""
    began = time.perf_counter()
    for _ in range(round(seconds)):
        second(Numbers.configuration_space.get_default_configuration())
    return time.perf_counter() - began


def processes(number: int) -> float:
    """The wall time of concurrent processes that compute for five seconds each."""
    with get_context("spawn").Pool(number) as pool:
        pool.map(work, [0.0] * 8)  # until all have started
        return max(pool.map(work, [5.0] * number, chunksize=1))


def seconds(runner: Runner, objective: Callable[[Configuration], float], trials: int) -> float:
    """The seconds of a number of evaluations, without the start of the workers."""
    with Search(Numbers(), objective, strategy=RandomSearch(), schedule=FullFidelity()) as search:
        first = runner.workers
        search.run(evaluations=first, runner=runner, progress=Silent())
        start = time.perf_counter()
        search.run(evaluations=first + trials, runner=runner, progress=Silent())
        return time.perf_counter() - start


def overhead(runner: Runner, trials: int, repeats: int) -> float:
    """The milliseconds per trial beyond those of the search in this process."""
    differences = []
    for _ in range(repeats):
        own = seconds(InProcess(), nothing, trials)
        differences.append((seconds(runner, nothing, trials) - own) / trials)
    return 1000 * statistics.median(differences)


@dataclass(frozen=True)
class Slow:
    """A strategy that computes in Python for `seconds` before each random proposal."""

    seconds: float

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        """A random number."""
        end = time.perf_counter() + self.seconds
        while time.perf_counter() < end:
            pass
        return sample(space.configuration_space, 1, rng)[0]


def sleeping(configuration: Configuration) -> dict[str, float]:
    """Take 1.5 to 2.5 seconds, and return when and where."""
    began = time.monotonic()
    time.sleep(1.5 + (configuration["number"] % 1000) / 1000)
    return {"cost": 1.0, "began": began, "ended": time.monotonic(), "process": os.getpid()}


def idle(runner: Runner, proposal: float, trials: int) -> list[float]:
    """The seconds that workers waited between two trials."""
    strategy = Slow(proposal)
    with Search(Numbers(), sleeping, strategy=strategy, schedule=FullFidelity()) as search:
        history = search.run(evaluations=trials, runner=runner, progress=Silent())
    workers = defaultdict(list)
    for evaluation in history.evaluations:
        workers[evaluation.metrics["process"]].append(evaluation.metrics)
    return [
        later["began"] - earlier["ended"]
        for spans in workers.values()
        for earlier, later in itertools.pairwise(sorted(spans, key=lambda m: m["began"]))
    ]


def row(what: str, measured: str, target: str) -> None:
    """Print a row of a Markdown table."""
    print(f"| {what} | {measured} | {target} |", flush=True)


def spread(values: Sequence[float]) -> str:
    """Format median, lowest and highest."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def quantiles(delays: Sequence[float]) -> str:
    """Format median, 95% quantile and maximum in milliseconds."""
    low, high = np.quantile(delays, (0.5, 0.95))
    return f"median {1000 * low:.1f}, 95% {1000 * high:.1f}, most {1000 * max(delays):.1f} ms"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--proposal", type=float, default=0.5)
    options = parser.parse_args()
    print("| what | measured | target |\n| --- | --- | --- |")
    with LocalProcesses(1) as one, LocalProcesses(2) as two:
        bare, own = [], []
        for _ in range(options.repeats):
            bare.append(2 * processes(1) / processes(2))
            own.append(seconds(one, second, 10) / seconds(two, second, 10))
        row("work of two processes without bonas by that of one", spread(bare), "what there is")
        row("evaluations of two local processes by those of one", spread(own), "1.8 or more")
        cost = overhead(one, options.trials, options.repeats)
        row("overhead of a trial, local processes", f"{cost:.2f} ms", "under 5 ms")
        delays = idle(two, options.proposal, 40)
        what = f"idle between two trials, two local processes, proposals of {options.proposal} s"
        row(what, quantiles(delays), "100 ms at most")
    with (
        Client(n_workers=2, threads_per_worker=1, dashboard_address=":0") as client,
        Dask(client) as dask,
    ):
        cost = overhead(dask, options.trials, options.repeats)
        row("overhead of a trial, Dask", f"{cost:.2f} ms", "under 20 ms")
        delays = idle(dask, options.proposal, 40)
        what = f"idle between two trials, two Dask workers, proposals of {options.proposal} s"
        row(what, quantiles(delays), "100 ms at most")


if __name__ == "__main__":
    main()
