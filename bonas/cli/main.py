"""The entry point of the command line: `bonas --help`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

from bonas.terminal import escape_unencodable
from fidelity.history.journal import JournalError

SUCCESS, FAILURE, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

EXAMPLES = """\
examples:
  bonas demo
  bonas run my_search.py --evaluations 100 --workers 4
  bonas status runs/my_search
  bonas report runs/my_search --page my_search.html

`bonas COMMAND --help` describes a command.
"""

CONTRACT = """\
Run the search that a Python file defines. The file has a function `search` that
takes a directory and a seed and returns a `bonas.Search`:

    # my_search.py
    from bonas import Search

    def search(directory, seed):
        return Search(space, objective, directory=directory, seed=seed)

The run ends at the first limit that is reached: give one or more of
--evaluations, --seconds and --epochs. They are totals over all runs in the
directory. The same command resumes a search that was interrupted.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0; 1 if no evaluation succeeded, a file could not be written or a check found damage;
        2 for bad input; 130 after Ctrl-C.
    """
    escape_unencodable()
    options = _parser().parse_args(arguments)
    execute: Callable[[argparse.Namespace], int] = options.execute
    try:
        return execute(options)
    except JournalError as error:
        return _complain(error, BAD_INPUT)
    except OSError as error:
        return _complain(error, FAILURE)
    except KeyboardInterrupt:
        if execute is _watch:
            return SUCCESS
        return _complain("interrupted; run the same command again to resume", INTERRUPTED)


def _complain(problem: object, exit_code: int) -> int:
    print(f"bonas: {problem}", file=sys.stderr)
    return exit_code


def _run(options: argparse.Namespace) -> int:
    from bonas.cli.run import NoResult, SearchFileError, run
    from bonas.search.failures import NothingFeasible, NothingWorks
    from bonas.search.stop import Stop
    from fidelity.objective import ObjectiveError

    directory = options.directory or Path("runs") / options.file.stem
    try:
        stop = Stop(options.evaluations, options.seconds, options.epochs)
    except ValueError as error:
        return _complain(error, BAD_INPUT)
    try:
        line = run(options.file, directory, options.seed, stop, options.workers)
    except SearchFileError as error:
        sys.stderr.write(error.trace)
        return _complain(error, BAD_INPUT)
    except (NoResult, NothingWorks, NothingFeasible, ObjectiveError) as error:
        return _complain(error, FAILURE)
    print(line)
    return SUCCESS


def _demo(options: argparse.Namespace) -> int:
    from bonas.cli.demo import demo

    demo(options.directory, options.seed)
    return SUCCESS


def _status(options: argparse.Namespace) -> int:
    from bonas.cli.status import status
    from bonas.search.directory import SearchDirectory

    print("\n".join(status(SearchDirectory.read(options.directory))))
    return SUCCESS


def _watch(options: argparse.Namespace) -> int:
    from bonas.cli.watch import watch
    from bonas.terminal import console

    watch(options.directory, console())
    return SUCCESS


def _check(options: argparse.Namespace) -> int:
    from bonas.cli.check import check

    findings, intact = check(options.directory, options.repair)
    print("\n".join(findings))
    return SUCCESS if intact else FAILURE


def _report(options: argparse.Namespace) -> int:
    from bonas.reports.report import report

    try:
        print(report(options.directory, options.page or options.directory / "report.html"))
    except OSError as error:
        return _complain(f"the page cannot be written: {error}", FAILURE)
    return SUCCESS


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bonas",
        description="Run neural architecture searches, and inspect them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    _add_run(commands)
    _add_demo(commands)
    _add_readers(commands)
    return parser


def _add_run(commands: Commands) -> None:
    run = commands.add_parser(
        "run",
        help="run the search that a Python file defines",
        description=CONTRACT,
        epilog="example:\n  bonas run my_search.py --evaluations 100 --workers 4",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    run.add_argument("file", type=Path, metavar="FILE.py", help="defines search(directory, seed)")
    run.add_argument("--evaluations", type=int, metavar="N", help="stop after N evaluations")
    run.add_argument("--seconds", type=float, metavar="S", help="start nothing after S seconds")
    run.add_argument("--epochs", type=float, metavar="E", help="stop after E epochs of training")
    run.add_argument(
        "--workers", type=_workers, default=1, metavar="N", help="worker processes (default: 1)"
    )
    run.add_argument("--directory", type=Path, help="of the search (default: runs/FILE)")
    run.add_argument("--seed", type=int, default=0, help="of the search (default: 0)")
    run.set_defaults(execute=_run)


def _add_demo(commands: Commands) -> None:
    demo = commands.add_parser(
        "demo",
        help="compare two strategies on real images, in minutes",
        description="Compare random search and Bayesian optimization on real images. The same "
        "command resumes an interrupted demonstration.",
    )
    demo.add_argument(
        "--directory",
        type=Path,
        default=Path("runs/demo"),
        help="of histories and figures (default: runs/demo)",
    )
    demo.add_argument("--seed", type=int, default=0, help="of both searches (default: 0)")
    demo.set_defaults(execute=_demo)


def _add_readers(commands: Commands) -> None:
    for name, execute, summary in (
        ("status", _status, "show the settings and the progress of a search"),
        ("watch", _watch, "show the progress of a search live, until it ends or Ctrl-C"),
        ("check", _check, "verify that all records and checkpoints of a search are intact"),
        ("report", _report, "write a self-contained HTML page about a search"),
    ):
        reader = commands.add_parser(
            name, help=summary, description=f"{summary.capitalize()}. The search may be running."
        )
        reader.add_argument("directory", type=Path, metavar="DIRECTORY", help="of the search")
        reader.set_defaults(execute=execute)
        if name == "check":
            reader.add_argument(
                "--repair", action="store_true", help="cut off a torn last line, nothing else"
            )
        if name == "report":
            reader.add_argument(
                "--page", type=Path, help="the file to write (default: DIRECTORY/report.html)"
            )


def _workers(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"the number of workers is 1 or more, not {number}")
    return number
