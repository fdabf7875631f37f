"""The utilisation of 1,000 simulated workers, with proposals counted on the clock.

    python benchmarks/utilisation.py

AsynchronousHalving(1, 27) and the default strategy search a space of 282 million cells. A unit of
budget takes 60 to 120 simulated seconds, by the network. The search is one process: while it
computes, in real seconds that are added to the clock, finished workers are idle. The first 1,000
networks are random, because there is no result yet. Target: busy at least 95% of the time.
Results go to results/utilisation.md.
"""

from __future__ import annotations

import argparse
import datetime
import time
import zlib

import numpy as np
import torch
from ConfigSpace import Configuration
from proposal_speed import LARGE, RESULTS, costs

from bonas import Search
from bonas.runners import Simulated
from bonas.runners.runner import busy_share
from bonas.search.progress import Silent
from fidelity import AsynchronousHalving
from fidelity.objective import Context

TABLE = costs(LARGE, 0)


def objective(configuration: Configuration, budget: float, context: Context) -> dict[str, float]:
    """Return a cost that falls with the budget; a promotion spends what it adds to its parent."""
    cost = sum(TABLE[name, str(value)] for name, value in configuration.items())
    seconds = 60.0 + 60.0 * (zlib.crc32(configuration.get_array().tobytes()) % 1000) / 1000
    return {"cost": cost + 3 / budget, "seconds": seconds * (budget - context.resumed)}


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=1000)
    parser.add_argument("--evaluations", type=int, default=6000)
    arguments = parser.parse_args()
    runner = Simulated(arguments.workers, thinking=time.perf_counter)
    started = time.perf_counter()
    with Search(LARGE, objective, schedule=AsynchronousHalving(1, 27)) as search:
        history = search.run(evaluations=arguments.evaluations, runner=runner, progress=Silent())
    real = time.perf_counter() - started
    share = busy_share(history, arguments.workers)
    simulated = max(e.started + e.seconds for e in history.evaluations)
    median = float(np.median([e.seconds for e in history.evaluations]))
    (RESULTS / "utilisation.md").write_text(
        f"""# Workers kept busy

Measured on {datetime.date.today()} by `python benchmarks/utilisation.py`: {arguments.workers}
simulated workers, AsynchronousHalving(1, 27), BayesianOptimization(), {torch.get_num_threads()}
thread(s). Proposal time counted on the clock. Goal: 95%.

| evaluations | simulated seconds | median training | real seconds of the search | busy |
| ---: | ---: | ---: | ---: | ---: |
| {len(history)} | {simulated:.0f} | {median:.0f} | {real:.0f} | {100 * share:.1f}% |
""",
        encoding="utf-8",
    )
    print(f"busy {100 * share:.1f}%, {real:.0f} real of {simulated:.0f} simulated seconds")


if __name__ == "__main__":
    main()
