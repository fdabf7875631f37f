"""`bonas run FILE.py`: run the search that a Python file defines."""

from __future__ import annotations

import contextlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import cloudpickle

from bonas.cli.status import best_line
from bonas.runners.local_processes import LocalProcesses
from bonas.search.search import Search
from bonas.search.stop import Stop
from fidelity.history.journal import JournalError

FUNCTION = "search"
"""The name of the function that the file defines."""

EXPECTED = "define `def search(directory, seed)`, which returns a bonas.Search"


class SearchFileError(Exception):
    """A file that defines no search.

    Attributes:
        trace: the traceback in the user's own code; empty if the file raised nothing.
    """

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace


class NoResult(RuntimeError):
    """A run without any successful evaluation."""


def run(file: Path, directory: Path, seed: int, stop: Stop, workers: int) -> str:
    """Run the search that a file defines, and return a line about its best evaluation.

    Args:
        file: defines `search(directory, seed)`.
        directory: of the search; one that holds this search resumes it.
        seed: of the search.
        stop: the limits of the run.
        workers: the number of worker processes; with 1 the search itself evaluates.

    Raises:
        SearchFileError: the file defines no search.
        NoResult: no evaluation succeeded.
        NothingWorks: the first evaluations all failed.
        JournalError: the directory holds another search, or cannot be used.
        ValueError: `workers` is below 1.
    """
    runner = None if workers == 1 else LocalProcesses(workers)
    with runner or contextlib.nullcontext(), load(file, directory, seed) as search:
        search.run(
            evaluations=stop.evaluations,
            seconds=stop.seconds,
            epochs=stop.epochs,
            runner=runner,
        )
        best = search.incumbent
        if best is None:
            errors = [e.error for e in search.history.evaluations if e.error]
            cause = f"the last error:\n{errors[-1]}" if errors else "the limits allow none"
            raise NoResult(f"no evaluation succeeded; {cause}")
        return best_line(search.history, best)


def load(file: Path, directory: Path, seed: int) -> Search:
    """Return the search that a file defines.

    Args:
        file: defines `search(directory, seed)`.
        directory: for the search.
        seed: for the search.

    Raises:
        SearchFileError: the file defines no search.
        JournalError: the directory holds another search, or cannot be used.
    """
    function = _function(file)
    try:
        inspect.signature(function).bind(directory=directory, seed=seed)
    except TypeError as error:
        raise SearchFileError(
            f"{FUNCTION}() in {file} cannot be called with directory=... and seed=... ({error}): "
            f"{EXPECTED}"
        ) from error
    with _user_code(file, f"{FUNCTION}() in {file}"):
        search = function(directory=directory, seed=seed)
    if not isinstance(search, Search):
        raise SearchFileError(f"{FUNCTION}() in {file} returned {search!r}: {EXPECTED}")
    if search.directory.absolute() != directory.absolute() or search.seed != seed:
        search.close()
        raise SearchFileError(
            f"{FUNCTION}() in {file} returned a search with another directory or seed than "
            f"{directory} and {seed}: pass both on, as in Search(..., directory=directory, "
            "seed=seed)"
        )
    return search


def _function(file: Path) -> Callable[..., Any]:
    if not file.is_file():
        raise SearchFileError(f"there is no file {file}: give a Python file; in it {EXPECTED}")
    # A name of its own, so that a file `random.py` hides no module of that name.
    loader = SourceFileLoader(f"bonas_run_{file.stem}", str(file.absolute()))
    spec = spec_from_loader(loader.name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[loader.name] = module
    sys.path.insert(0, str(file.absolute().parent))  # as `python FILE.py` does
    cloudpickle.register_pickle_by_value(module)  # workers cannot import it by this name
    with _user_code(file, str(file)):
        loader.exec_module(module)
    function = getattr(module, FUNCTION, None)
    if not callable(function):
        raise SearchFileError(f"{file} defines no function {FUNCTION}(): {EXPECTED}")
    return function  # type: ignore[no-any-return]


@contextlib.contextmanager
def _user_code(file: Path, where: str) -> Iterator[None]:
    """Turn an exception of the user's code into a `SearchFileError` with their traceback."""
    try:
        yield
    except JournalError:  # about the directory, not the code
        raise
    except (Exception, SystemExit) as error:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != str(file.absolute()):
            trace = trace.tb_next
        lines = traceback.format_exception(type(error), error, trace)
        raise SearchFileError(
            f"{where} raised {type(error).__name__}: mend the code above", "".join(lines)
        ) from error
