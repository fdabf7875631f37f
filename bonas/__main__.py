"""The command line: `python -m bonas --help`."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from bonas import strategies
from bonas.terminal import escape_unencodable
from fidelity import datasets, schedules
from fidelity.datasets.dataset import DataError, Dataset
from fidelity.history.journal import JournalError

if TYPE_CHECKING:
    from bonas.search.search import Search
    from bonas.search.stop import Stop

BUDGETS = ("min_budget", "max_budget", "eta")
READERS = {
    "status": "say what a search is, how far it is, and what runs",
    "watch": "the same, live, until the search ends or Ctrl-C",
    "check": "look whether every record and every checkpoint is whole",
    "report": "write one page about the search, which opens from a file",
}
SUCCESS, FAILURE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a search or the demonstration, or tells about a search.

    Returns:
        0, or 1 if no evaluation succeeded, the disk failed, or a check found damage, 2 for input
        that cannot be, 130 after Ctrl-C.
    """
    escape_unencodable()
    options = _parser().parse_args(arguments)
    try:
        if options.command in READERS:
            return _read(options)
        if options.command == "demo":
            from bonas.cli.demo import demo

            demo(options.directory, options.seed)
            return SUCCESS
        try:
            search, limits = _prepare(options)
        except ValueError as error:  # of a space, a data set, a schedule, a limit
            return _complain(error, BAD_INPUT)
        with search:
            return _run(search, limits)
    except JournalError as error:
        return _complain(error, BAD_INPUT)
    except OSError as error:  # of a disk: of the summary and the pictures of the demo
        return _complain(error, FAILURE)
    except KeyboardInterrupt:
        if options.command in READERS:
            return SUCCESS
        return _complain("interrupted; the same command goes on from here", INTERRUPTED)


def _read(options: argparse.Namespace) -> int:
    if options.command == "status":
        from bonas.cli.status import Look

        print("\n".join(Look.into(options.directory).lines()))
    elif options.command == "watch":
        from bonas.cli.watch import watch
        from bonas.terminal import console

        watch(options.directory, console())
    elif options.command == "report":
        from bonas.reports.report import report

        try:
            print(report(options.directory, options.page or options.directory / "report.html"))
        except OSError as error:
            return _complain(f"the page cannot be written: {error}", FAILURE)
    else:
        from bonas.cli.check import check

        found, well = check(options.directory, options.repair)
        print("\n".join(found))
        return SUCCESS if well else FAILURE
    return SUCCESS


def _complain(problem: object, status: int) -> int:
    print(f"bonas: {problem}", file=sys.stderr)
    return status


def _prepare(options: argparse.Namespace) -> tuple[Search, Stop]:
    from bonas.search.search import Search
    from bonas.search.stop import Stop
    from fidelity.training.training import Training
    from spaces.cells.cell import CellSpace

    limits = Stop(options.evaluations, options.seconds, options.epochs)
    schedule = _made(getattr(schedules, options.schedule), options)
    space = CellSpace.nasbench201(options.channels, options.cells, options.stages)
    training = Training(
        space, _dataset(options), max_epochs=options.max_budget, batch_size=options.batch_size
    )
    search = Search(
        space,
        training,
        strategy=getattr(strategies, options.strategy)(),
        schedule=schedule,
        directory=options.directory,
        seed=options.seed,
    )
    return search, limits


def _run(search: Search, limits: Stop) -> int:
    from bonas.search.failures import NothingWorks

    try:
        search.run(
            evaluations=limits.evaluations,
            seconds=limits.seconds,
            epochs=limits.epochs,
        )
    except NothingWorks as error:
        return _complain(error, FAILURE)
    best = search.incumbent
    if best is None:
        errors = [e.error for e in search.history.evaluations if e.error]
        last = f"; the last error:\n{errors[-1]}" if errors else ": the limits leave room for none"
        return _complain(f"no evaluation succeeded{last}", FAILURE)
    trial = best.trial
    cell = getattr(search.space, "to_string", str)(trial.configuration)
    print(f"best cost {best.cost:.4f} at budget {trial.budget:g} (trial {trial.number}): {cell}")
    return SUCCESS


def _made(kind: Any, options: argparse.Namespace) -> Any:
    """Calls `kind` with those options that its signature names."""
    names = set(inspect.signature(kind).parameters) & set(vars(options))
    return kind(**{name: getattr(options, name) for name in names})


def _dataset(options: argparse.Namespace) -> Dataset:
    load = getattr(datasets, options.data)
    parameter = inspect.signature(load).parameters.get("root")
    if parameter is None and options.root is not None:
        raise DataError(f"{options.data} is in no folder: leave --root out")
    if parameter is not None and parameter.default is parameter.empty and options.root is None:
        raise DataError(f"{options.data} needs the folder with its files: give --root")
    made: Dataset = _made(load, options)
    return made


def _choices(package: ModuleType, method: str, options: Sequence[str] = ()) -> list[str]:
    """The public classes of `package` with `method` that can be made from `options` alone."""
    found = {name: getattr(package, name) for name in package.__all__}
    return [
        name
        for name, value in found.items()
        if hasattr(value, method)
        and not getattr(value, "_is_protocol", False)
        and _required(value) <= set(options)
    ]


def _required(kind: Any) -> set[str]:
    parameters = inspect.signature(kind).parameters.values()
    return {
        p.name for p in parameters if p.default is p.empty and p.kind is p.POSITIONAL_OR_KEYWORD
    }


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults, but for those that are None."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None else super()._get_help_string(action)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bonas", description="Neural architecture search.", formatter_class=_Help
    )
    commands = parser.add_subparsers(dest="command", required=True)
    search = commands.add_parser(
        "search",
        help="search the cells of NAS-Bench-201 on a data set",
        description="Searches the cells of NAS-Bench-201. Stop are totals over all runs in the "
        "same directory; give at least one.",
        formatter_class=_Help,
    )
    # Every data set but the one that takes arrays, which no command line can give.
    data = [name for name in datasets.__all__ if name != "from_arrays"]
    search.add_argument("--data", choices=data, default="digits", help="the images")
    search.add_argument("--root", type=Path, help="the folder of the data set, if it needs one")
    search.add_argument("--channels", type=int, default=8, help="of the first stage")
    search.add_argument("--cells", type=int, default=1, help="in each stage")
    search.add_argument("--stages", type=int, default=3, help="of the network")
    search.add_argument("--batch-size", type=int, default=64, help="images a step")
    names = _choices(strategies, "propose")
    search.add_argument(
        "--strategy", choices=names, default="BayesianOptimization", help="proposes"
    )
    names = _choices(schedules, "next", BUDGETS)
    search.add_argument("--schedule", choices=names, default="Hyperband", help="chooses epochs")
    search.add_argument("--min-budget", type=float, default=1, help="epochs")
    search.add_argument("--max-budget", type=float, default=9, help="epochs")
    search.add_argument("--eta", type=float, default=3, help="the factor between budgets")
    search.add_argument("--evaluations", type=int, help="stop after so many")
    search.add_argument("--seconds", type=float, help="stop after so many")
    search.add_argument("--epochs", type=float, help="stop when so many have been trained")
    demo = commands.add_parser(
        "demo",
        help="two strategies on real images in minutes",
        description="Compares random search and Bayesian optimization on real images.",
        formatter_class=_Help,
    )
    for command, directory in ((search, Path("runs/search")), (demo, Path("runs/demo"))):
        command.add_argument(
            "--directory", type=Path, default=directory, help="the same one means resume"
        )
        command.add_argument("--seed", type=int, default=0, help="of everything random")
    for name, summary in READERS.items():
        reader = commands.add_parser(name, help=summary, description=f"{summary.capitalize()}.")
        reader.add_argument("directory", type=Path, help="of the search, which may be running")
        if name == "check":
            reader.add_argument(
                "--repair", action="store_true", help="cut off a torn last line, and nothing else"
            )
        if name == "report":
            reader.add_argument(
                "--page", type=Path, help="the file, by default report.html in the directory"
            )
    return parser


if __name__ == "__main__":
    sys.exit(main())
