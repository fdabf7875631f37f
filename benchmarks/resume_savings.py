"""The savings of resuming from checkpoints: one round of Hyperband, trained on digits.

python benchmarks/resume_savings.py
"""

from __future__ import annotations

import argparse

import torch
from ConfigSpace import ConfigurationSpace

from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity import Hyperband, Training, datasets
from spaces.cells.cell import NASBENCH201, CellSpace
from spaces.joint import JointSpace


def main() -> None:
    """Print the trained epochs, and their number without checkpoints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--max-epochs", type=int, default=27)
    parser.add_argument("--channels", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    torch.set_num_threads(1)
    schedule = Hyperband(1, options.max_epochs)
    kinds = len(schedule.bracket(0))
    rungs = [rung for number in range(kinds) for rung in schedule.bracket(number)]
    # Without "none" every network has a path, and no two learning rates are equal: all train.
    operations = {name: made for name, made in NASBENCH201.items() if name != "none"}
    cells = CellSpace(operations, channels=options.channels, cells=1, stages=2)
    space = JointSpace(cells, ConfigurationSpace({"learning_rate": (0.01, 0.1)}))
    training = Training(space, datasets.digits(), options.max_epochs, batch_size=256)
    strategy = RandomSearch()
    with Search(space, training, strategy=strategy, schedule=schedule, seed=options.seed) as search:
        trials = sum(rung.trials for rung in rungs)
        history = search.run(evaluations=trials, progress=Silent())
    done = [e for e in history.evaluations if e.succeeded and e.reused is None]
    trained = sum(e.metrics["epochs"] - e.metrics["resumed_from"] for e in done)
    fresh = sum(e.trial.budget for e in done)
    print(f"Hyperband, R = {options.max_epochs}, eta = 3, on digits: {len(done)} evaluations")
    print(f"(of {trials}; the others were invalid, failed, or known networks)")
    print(f"trained {trained:g} epochs, recorded {history.resource:g}, without resuming {fresh:g}")
    print(f"ratio {trained / fresh:.3f}")
    print(f"seconds in training: {sum(e.seconds for e in done):.0f}")


if __name__ == "__main__":
    main()
