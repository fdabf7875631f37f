"""Gains of Bayesian optimization by zero-cost scores and by an earlier search.

    python benchmarks/knowledge.py                              # all problems and variants
    python benchmarks/knowledge.py "zero-cost" --problems cifar10 --seeds 5
    python benchmarks/knowledge.py --report                     # only the page
    python benchmarks/knowledge.py --quick                      # in results/quick

The protocol is that of `nasbench201.py`: noisy queries, regret of the recommended network. Scores
on NAS-Bench-201 are the published ones for CIFAR-10 (Krishnakumar et al. 2022, "NAS-Bench-Suite-
Zero") on all three data sets; on NAS-Bench-Macro and on the table of the package they are computed
here, on Gaussian noise in the shape of CIFAR-10's images and on the images of the table. The
earlier search is one of 100 noisy evaluations on CIFAR-10 by
`BayesianOptimization(zero_cost=None)`, another one for each seed. "Shuffled" scores or sources are
those of another network each, drawn at random; an "inverted" source has minus its costs. `design`
uses the knowledge for the initial networks alone, `trend` for the surrogate alone; `multi-task`
fits one Gaussian process to both searches.

Seeds are those of `nasbench201.py`: settings were chosen on CIFAR-10 with seeds 100 to 199.
Every seed is written to results/knowledge_<problem>.csv; recorded seeds are not run again.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import nasbench_macro
import numpy as np
import pandas as pd
import torch
from ablations import RESULTS, Table, load
from ConfigSpace import Configuration
from knowledge_report import report
from nasbench201 import Truth, one_thread, progress, run
from peers.bonas import BonasSession
from peers.informed import Informed, Lookup
from peers.knowledge_parts import MultiTask, design_only, trend_only
from peers.peer import EDGES, OPERATIONS, FlatSpace, Peer

from bonas.acquisition.candidates import every
from bonas.strategies.bayesian import BayesianOptimization
from fidelity.datasets import from_arrays
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.proxies import NASWOT, Parameters, ProxyFeatures, Synflow
from fidelity.tables import mnist1d_cells
from spaces.cells.cell import CellSpace
from spaces.hierarchical.macro_space import MACRO_CODES, MacroSpace

SHARED = Path(__file__).parents[2] / "shared" / "data"
SCORES = SHARED / "nasbench201_zerocost_cifar10.csv.gz"
PUBLISHED = {"Synflow": "synflow", "NASWOT": "nwot", "Parameters": "params"}
SOURCE = 100
"""Evaluations of the earlier search."""
EVALUATIONS = 100
QUICK = (2, 25)


@dataclass(frozen=True)
class Problem:
    """A table to search, and what is known about its networks."""

    truth: Truth
    scores: Lookup
    earlier: Callable[[int], History] | None = None


@dataclass(frozen=True)
class Memory:
    """Scores by key, each computed once."""

    key: Callable[[Configuration], str]
    compute: Lookup
    known: dict[str, Mapping[str, float]] = field(default_factory=dict)

    def __call__(self, configuration: Configuration) -> Mapping[str, float]:
        """Return the scores of a network."""
        key = self.key(configuration)
        if key not in self.known:
            self.known[key] = self.compute(configuration)
        return self.known[key]


@cache
def cells() -> FlatSpace:
    """The space of NAS-Bench-201."""
    return FlatSpace(CellSpace.nasbench201(), dict.fromkeys(EDGES, OPERATIONS))


@cache
def nasbench201_truth(dataset: str) -> Truth:
    """The table of one data set."""
    space = cells().space
    assert isinstance(space, CellSpace)
    return Truth(cells(), load(space, dataset))


@cache
def published(path: Path) -> Lookup:
    """The published scores of NAS-Bench-201."""
    space = cells().space
    assert isinstance(space, CellSpace)
    frame = pd.read_csv(path)
    rows = {
        space.architecture(space.from_string(record["net_str"])).key: {
            name: float(record[column]) for name, column in PUBLISHED.items()
        }
        for record in frame.to_dict("records")
    }
    return Memory(lambda c: space.architecture(c).key, lambda c: rows[space.architecture(c).key])


@cache
def earlier_search(seed: int) -> History:
    """Return the search of one seed on CIFAR-10."""
    peer = Informed(BayesianOptimization(zero_cost=None))
    *_, state = progress(peer, nasbench201_truth("cifar10"), 1000 + seed, SOURCE)
    assert isinstance(state.session, BonasSession)
    return state.session.history


def nasbench201(dataset: str) -> Problem:
    """NAS-Bench-201 on one data set."""
    return Problem(nasbench201_truth(dataset), published(SCORES), earlier_search)


def computed(features: ProxyFeatures) -> Lookup:
    """Scores of this machine."""
    names = [type(proxy).__name__ for proxy in features.proxies]
    return Memory(
        lambda c: features.space.architecture(c).key,
        lambda c: dict(zip(names, features(c), strict=True)),
    )


def macro() -> Problem:
    """NAS-Bench-Macro."""
    space = MacroSpace.nasbench_macro()
    flat = FlatSpace(space, dict.fromkeys(space.configuration_space, MACRO_CODES))
    images = torch.randn(96, 3, 32, 32, generator=torch.Generator().manual_seed(0)).numpy()
    dataset = from_arrays(images, np.arange(96) % 10)
    features = ProxyFeatures(space, dataset, (Synflow(), NASWOT(), Parameters()), images=32)
    truth = Truth(flat, nasbench_macro.load(space, nasbench_macro.DATA))
    return Problem(truth, computed(features))


def mnist1d() -> Problem:
    """The table of the package."""
    table = mnist1d_cells.MNIST1DCells()
    space = mnist1d_cells.SPACE
    flat = FlatSpace(space, dict.fromkeys(space.configuration_space, mnist1d_cells.OPERATIONS))
    runs: dict[bytes, list[float]] = {}
    for configuration in every(space.configuration_space):
        costs = [table(configuration, 27.0, seed) for seed in mnist1d_cells.SEEDS]
        runs[configuration.get_array().tobytes()] = [100.0 * (1.0 - _cost(c)) for c in costs]
    truth = Truth(flat, Table(runs, max(float(np.mean(values)) for values in runs.values())))
    features = ProxyFeatures(space, table.training().dataset, (Synflow(), NASWOT(), Parameters()))
    return Problem(truth, computed(features))


def _cost(result: object) -> float:
    return float(result["cost"] if isinstance(result, Mapping) else result)  # type: ignore[arg-type]


PROBLEMS: Mapping[str, Callable[[], Problem]] = {
    "cifar10": lambda: nasbench201("cifar10"),
    "cifar100": lambda: nasbench201("cifar100"),
    "imagenet": lambda: nasbench201("imagenet"),
    "macro": macro,
    "mnist1d": mnist1d,
}


def shuffled_scores(problem: Problem) -> Lookup:
    """Each network has the scores of another one."""
    networks = every(problem.truth.flat.space.configuration_space)
    places = {c.get_array().tobytes(): place for place, c in enumerate(networks)}
    order = np.random.default_rng(0).permutation(len(networks))
    return lambda c: problem.scores(networks[order[places[c.get_array().tobytes()]]])


def changed(history: History, costs: Sequence[float]) -> History:
    """The same networks with other costs."""
    made = History(history.space)
    for evaluation, cost in zip(history.evaluations, costs, strict=True):
        trial = replace(evaluation.trial, number=len(made.trials))
        made.add_trial(trial)
        made.add_evaluation(Evaluation(trial, cost))
    return made


def variants(problem: Problem) -> dict[str, Peer]:
    """The peers on a problem: what is known, and what it is used for."""
    plain, scores = BayesianOptimization(zero_cost=None), problem.scores
    peers: dict[str, Peer] = {
        "nothing": Informed(plain),
        "zero-cost": Informed(scores=scores),
        "zero-cost, design": Informed(scores=scores, part=design_only),
        "zero-cost, trend": Informed(scores=scores, part=trend_only),
        "zero-cost, shuffled": Informed(scores=shuffled_scores(problem)),
    }
    if (earlier := problem.earlier) is None:
        return peers

    def of(seed: int) -> list[History]:
        return [earlier(seed)]

    def shuffled(seed: int) -> list[History]:
        history = earlier(seed)
        costs = np.array([e.cost for e in history.evaluations])
        return [changed(history, np.random.default_rng(seed).permutation(costs).tolist())]

    def inverted(seed: int) -> list[History]:
        history = earlier(seed)
        return [changed(history, [-e.cost for e in history.evaluations])]

    return {
        **peers,
        "transfer": Informed(plain, earlier=of),
        "transfer, shuffled": Informed(plain, earlier=shuffled),
        "transfer, multi-task": MultiTask(of),
        "transfer, inverted": Informed(plain, earlier=inverted),
        "transfer, design": Informed(plain, earlier=of, part=design_only),
        "transfer, trend": Informed(plain, earlier=of, part=trend_only),
        "transfer and zero-cost": Informed(scores=scores, earlier=of),
        "transfer, and a shuffled one": Informed(plain, earlier=lambda s: [*of(s), *shuffled(s)]),
    }


def main() -> None:
    """Run the requested searches, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help="of variants; all by default")
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS), choices=PROBLEMS)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--evaluations", type=int, default=EVALUATIONS)
    parser.add_argument("--quick", action="store_true", help="one problem, few seeds")
    parser.add_argument("--report", action="store_true", help="only the page")
    arguments = parser.parse_args()
    one_thread()
    directory = RESULTS / "quick" if arguments.quick else RESULTS
    if arguments.quick:
        shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    size = QUICK if arguments.quick else (arguments.seeds, arguments.evaluations)
    files = {name: directory / f"knowledge_{name}.csv" for name in PROBLEMS}
    for name in () if arguments.report else ["mnist1d"] if arguments.quick else arguments.problems:
        problem = PROBLEMS[name]()
        for variant, peer in variants(problem).items():
            if not arguments.names or variant in arguments.names:
                run(variant, peer, files[name], problem.truth, *size)
    print(report(files, directory / "knowledge.md"))


if __name__ == "__main__":
    main()
