"""Wrong stops and savings of early stopping by learning curves.

    python benchmarks/curve_stopping.py                   # the table in the package
    python benchmarks/curve_stopping.py --networks 60     # trains networks on digits

Simulated searches draw networks at random, whose curves are all known to the end, and follow
`CurveStopping`. A stop is wrong if the network, trained on, would have ended below the cost that
it was compared with. Each risk is a row in results/curve_stopping.csv.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from ConfigSpace import ConfigurationSpace
from jaxtyping import Float

from fidelity.datasets import digits
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from fidelity.objective import Context
from fidelity.schedules import CurveStopping, Promote
from fidelity.tables import MNIST1DCells
from fidelity.training.training import Training
from spaces.cells.cell import CellSpace
from spaces.space import sample

RESULTS = Path(__file__).parent / "results"
RISKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.4)
COLUMNS = ("curves", "risk", "searches", "networks", "stopped", "wrong")
MEANS = ("share_wrong", "share_of_epochs", "regret")

Curves = Float[np.ndarray, "networks epochs"]


class Outcome(NamedTuple):
    """The result of one simulated search.

    Attributes:
        stopped: the number of stopped networks.
        wrong: the number of these that would have beaten the incumbent at that time.
        epochs: trained epochs as a share of full training.
        regret: the best cost minus that of full training.
    """

    stopped: int
    wrong: int
    epochs: float
    regret: float


def from_table() -> Curves:
    """Validation errors of the table in the package: each network from each seed."""
    frame = MNIST1DCells().frame()
    curves = frame.pivot(index=["seed", "cell"], columns="epoch", values="validation_error")
    return curves.to_numpy(dtype=np.float64)


def trained(networks: int, epochs: int) -> Curves:
    """Validation errors of random NAS-Bench-201 cells on digits."""
    space = CellSpace.nasbench201(channels=4, cells=1)
    training = Training(space, digits(), max_epochs=epochs, batch_size=128, device="cpu")
    curves: list[list[float]] = []
    for cell in sample(space.configuration_space, 2 * networks, np.random.default_rng(0)):
        if len(curves) < networks and space.architecture(cell).connected:
            context = Context()
            training(cell, epochs, context=context)
            curves.append([cost for _, cost in context.curve])
    return np.array(curves)


def simulate(curves: Curves, schedule: CurveStopping) -> Outcome:
    """Run one search that draws the networks in this order."""
    networks, epochs = curves.shape
    history = History(ConfigurationSpace({"network": (0, networks)}))
    anything = history.space.get_default_configuration()
    row: list[int] = []  # of each trial
    reached: dict[int, tuple[float, float]] = {}  # of each network: its budget, its opponent
    for network in range(networks + 1):
        while True:
            decision = schedule.next(history, exhausted=network in row or network == networks)
            if decision is None:
                break
            number, parent = len(row), None
            if isinstance(decision, Promote):
                parent = decision.trial.number
            row.append(network if parent is None else row[parent])
            trial = Trial(number, anything, str(row[-1]), decision.budget, parent=parent)
            history.add_trial(trial)
            cost = float(curves[row[-1], round(decision.budget) - 1])
            history.add_evaluation(Evaluation(trial, cost))
            best = history.incumbent
            assert best is not None
            reached[row[-1]] = (decision.budget, best.cost)
    stopped = {n: best for n, (budget, best) in reached.items() if budget < epochs}
    wrong = sum(curves[n, -1] < best for n, best in stopped.items())
    assert history.incumbent is not None
    regret = history.incumbent.cost - curves[:, -1].min()
    return Outcome(len(stopped), int(wrong), history.resource / curves.size, float(regret))


def main() -> None:
    """Write and print a row for each risk."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", type=int, default=0, help="to train on digits")
    parser.add_argument("--epochs", type=int, default=27, help="of each of them")
    parser.add_argument("--searches", type=int, default=40, help="simulated for each risk")
    parser.add_argument("--size", type=int, default=50, help="networks per search")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.networks:
        name, curves = "digits", trained(options.networks, options.epochs)
    else:
        name, curves = "mnist1d", from_table()
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"curve_stopping_{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*COLUMNS, *MEANS])
        for risk in RISKS:
            outcomes = []
            for seed in range(options.searches):
                drawn = np.random.default_rng(seed).permutation(len(curves))[: options.size]
                schedule = CurveStopping(curves.shape[1], risk=risk)
                outcomes.append(simulate(curves[drawn], schedule))
            stopped, wrong = sum(o.stopped for o in outcomes), sum(o.wrong for o in outcomes)
            means = np.mean([(o.epochs, o.regret) for o in outcomes], axis=0)
            figures = (wrong / max(stopped, 1), *means)
            counts = (options.searches, options.size, stopped, wrong)
            writer.writerow([name, risk, *counts, *(f"{figure:.4f}" for figure in figures)])
            print(
                f"risk {risk}: {stopped} stopped, {wrong} wrongly ({figures[0]:.2%}), "
                f"{means[0]:.0%} of the epochs, regret {means[1]:.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
