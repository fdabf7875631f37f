"""The command line: `python -m bonas --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bonas import strategies
from fidelity import datasets, schedules
from fidelity.data import DataError, Dataset
from fidelity.journal import JournalError
from fidelity.schedules import FullFidelity, Hyperband, Schedule, ScheduleError, SuccessiveHalving

STRATEGIES = ("BayesianOptimization", "RandomSearch")
SCHEDULES = ("Hyperband", "SuccessiveHalving", "FullFidelity")
DATASETS = ("digits", "fashion_mnist", "mnist1d", "cifar10")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a search or the demonstration; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "demo":
            from bonas.demo import demo

            demo(options.directory, options.seed)
        else:
            return _search(options)
    except (DataError, JournalError, ScheduleError, ValueError) as error:
        print(f"bonas: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("bonas: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    return 0


def _search(options: argparse.Namespace) -> int:
    from bonas.search import Search
    from fidelity.training import Training
    from spaces.cell import CellSpace

    space = CellSpace.nasbench201(options.channels, options.cells, options.stages)
    search = Search(
        space,
        Training(
            space, _dataset(options), max_epochs=options.max_budget, batch_size=options.batch_size
        ),
        strategy=getattr(strategies, options.strategy)(),
        schedule=_schedule(options),
        directory=options.directory,
        seed=options.seed,
    )
    with search:
        search.run(evaluations=options.evaluations, seconds=options.seconds, epochs=options.epochs)
        best = search.incumbent
        if best is None:
            errors = [e.error for e in search.history.evaluations if e.error]
            print(f"bonas: no evaluation succeeded; the last error:\n{errors[-1]}", file=sys.stderr)
            return 1
        print(
            f"best cost {best.cost:.4f} at budget {best.trial.budget:g} (trial {best.trial.number}):"
            f" {space.to_string(best.trial.configuration)}"
        )
    return 0


def _schedule(options: argparse.Namespace) -> Schedule:
    low, high = options.min_budget, options.max_budget
    kind = getattr(schedules, options.schedule)
    if kind is FullFidelity:
        return FullFidelity(high)
    made: Hyperband | SuccessiveHalving = kind(low, high, options.eta)
    return made


def _dataset(options: argparse.Namespace) -> Dataset:
    load = getattr(datasets, options.data)
    made: Dataset = load() if options.root is None else load(options.root)
    return made


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bonas",
        description="Neural architecture search.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    search = commands.add_parser(
        "search",
        help="search the cells of NAS-Bench-201 on a data set",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    search.add_argument("--data", choices=DATASETS, default="digits")
    search.add_argument("--root", type=Path, help="the folder of the data set, where it needs one")
    search.add_argument("--channels", type=int, default=8, help="of the first stage")
    search.add_argument("--cells", type=int, default=1, help="in each stage")
    search.add_argument("--stages", type=int, default=3)
    search.add_argument("--batch-size", type=int, default=64)
    search.add_argument("--strategy", choices=STRATEGIES, default=STRATEGIES[0])
    search.add_argument("--schedule", choices=SCHEDULES, default=SCHEDULES[0])
    search.add_argument("--min-budget", type=float, default=1, help="epochs")
    search.add_argument("--max-budget", type=float, default=9, help="epochs")
    search.add_argument("--eta", type=float, default=3, help="the factor between rungs")
    search.add_argument("--evaluations", type=int, help="stop after so many")
    search.add_argument("--seconds", type=float, help="stop after so many")
    search.add_argument("--epochs", type=float, help="stop when so many have been trained")
    demo = commands.add_parser("demo", help="two strategies on real images in minutes")
    for command, directory in ((search, Path("runs/search")), (demo, Path("runs/demo"))):
        command.add_argument(
            "--directory", type=Path, default=directory, help="the same one means resume"
        )
        command.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    sys.exit(main())
