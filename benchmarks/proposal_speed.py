"""The time and the memory of a proposal with many observations.

    python benchmarks/proposal_speed.py

Observations are random cells of a space of five nodes and seven operations (282 million cells, so
that the space is not listed) and of NAS-Bench-201, with costs from a fixed random function of
their operations. A search grows to `--sizes` observations; before each of the last `--proposals`
proposals one evaluation has ended, as in a search, so that fits are never of the same data.
Targets: a median below 50 ms at 200 observations and below 250 ms at 2,000; less than 1 GB of
resident memory; at most 50 ms of CPU time for a decision of `FreezeThaw` at 300 trials. Results go
to results/proposal_speed.md.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import resource
import statistics
import time
from pathlib import Path

import numpy as np
import torch
from ConfigSpace import Configuration

from bonas import Search
from bonas.runners import Simulated
from bonas.search.progress import Silent
from bonas.strategies import FreezeThaw, seconds_spent
from bonas.strategies.bayesian import BayesianOptimization
from bonas.strategies.strategy import Again
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.tables import MNIST1DCells
from spaces import operations
from spaces.cells.cell import CellSpace
from spaces.keys import trial_key
from spaces.space import sample

RESULTS = Path(__file__).parent / "results"
LARGE = CellSpace(
    operations={
        "none": operations.zero,
        "skip_connect": operations.identity,
        "conv_1x1": operations.relu_conv_bn(1),
        "conv_3x3": operations.relu_conv_bn(3),
        "conv_5x5": operations.relu_conv_bn(5),
        "pool_3x3": operations.average_pool(3),
        "pool_5x5": operations.average_pool(5),
    },
    nodes=5,
)
SPACES = {"NAS-Bench-201": CellSpace.nasbench201(), "5 nodes, 7 operations": LARGE}


def costs(space: CellSpace, seed: int) -> dict[tuple[str, str], float]:
    """The contribution of each operation on each edge to a cost."""
    rng = np.random.default_rng(seed)
    names = list(space.configuration_space)
    return {(name, o): float(rng.normal()) for name in names for o in space.operations}


def times(space: CellSpace, size: int, proposals: int) -> list[float]:
    """Time each of `proposals` proposals after `size` observations, in seconds."""
    table, noise = costs(space, 0), np.random.default_rng(1)
    history, strategy = History(space.configuration_space), BayesianOptimization().start(space)

    def add(chosen: Configuration, seed: int) -> None:
        trial = Trial(len(history.trials), chosen, trial_key(space, chosen), 1.0, seed)
        cost = sum(table[name, str(value)] for name, value in chosen.items())
        history.add_trial(trial)
        history.add_evaluation(Evaluation(trial, cost + 0.3 * noise.normal()))

    for chosen in sample(space.configuration_space, size, np.random.default_rng(2)):
        add(chosen, 0)
    strategy.propose(space, history, np.random.default_rng(0))  # lists or samples the space
    found = []
    for number in range(proposals):
        started = time.perf_counter()
        proposal = strategy.propose(space, history, np.random.default_rng([3, number]))
        found.append(time.perf_counter() - started)
        again = isinstance(proposal, Again)
        add(proposal.trial.configuration if isinstance(proposal, Again) else proposal, int(again))
    return found


def freeze_thaw_times(size: int, decisions: int) -> list[float]:
    """Time each of the last `decisions` decisions of `FreezeThaw` before `size` trials.

    On the table in the package, in simulated seconds; it has decided all trials before. Returns
    seconds of CPU time, which depend less on what else the machine does.
    """
    table = MNIST1DCells()
    both = FreezeThaw(1, table.max_budget, spending=seconds_spent).start(table.space)
    with Search(table.space, table, strategy=both, schedule=both) as search:
        search.run(evaluations=size - decisions, runner=Simulated(), progress=Silent())
        found = []
        for number in range(size - decisions + 1, size + 1):
            started = time.process_time()
            both.next(search.history)
            found.append(time.process_time() - started)
            search.run(evaluations=number, runner=Simulated(), progress=Silent())
    return found


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 200, 500, 1000, 2000])
    parser.add_argument("--proposals", type=int, default=30)
    parser.add_argument("--trials", type=int, nargs="+", default=[100, 300], help="of FreezeThaw")
    arguments = parser.parse_args()
    lines = [
        "# Time of a proposal",
        "",
        f"Measured on {datetime.date.today()} by `python benchmarks/proposal_speed.py`: "
        f"BayesianOptimization() with its defaults, {torch.get_num_threads()} thread(s), torch "
        f"{torch.__version__}, {platform.machine()}. Milliseconds of {arguments.proposals} "
        "proposals. Targets: a median below 50 at 200 observations, below 250 at 2,000.",
        "",
        "| space | observations | median | 95% | largest |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for name, space in SPACES.items():
        for size in arguments.sizes:
            found = [1000 * seconds for seconds in times(space, size, arguments.proposals)]
            quantile = float(np.quantile(found, 0.95))
            median = statistics.median(found)
            lines.append(f"| {name} | {size} | {median:.0f} | {quantile:.0f} | {max(found):.0f} |")
            print(lines[-1], flush=True)
    lines += [
        "",
        "A decision of `FreezeThaw` (1 to 27 epochs on the table in the package), in CPU time. "
        "Target: at most 50 at 300 trials. The largest ones tune the hyperparameters.",
        "",
        "| trials | median | 95% | largest |",
        "| ---: | ---: | ---: | ---: |",
    ]
    for size in arguments.trials:
        found = [1000 * s for s in freeze_thaw_times(size, arguments.proposals)]
        quantile, median = float(np.quantile(found, 0.95)), statistics.median(found)
        lines.append(f"| {size} | {median:.0f} | {quantile:.0f} | {max(found):.0f} |")
        print(lines[-1], flush=True)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines += ["", f"Most resident memory of the whole run, torch included: {memory:.0f} MiB."]
    (RESULTS / "proposal_speed.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(lines[-1])


if __name__ == "__main__":
    main()
