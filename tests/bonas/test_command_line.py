from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from bonas.cli.main import main
from bonas.search.search import Search
from fidelity.history.history import History

ROOT = Path(__file__).resolve().parent.parent.parent
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}

OBJECTIVE = """\
from __future__ import annotations

import os
from dataclasses import dataclass

from bonas import Search, strategies
from helper import SHIFT
from tests.bonas.runners.fakes import Numbers


@dataclass(frozen=True)
class Cost:
    shift: float = SHIFT

    def __call__(self, configuration) -> dict:
        return {"cost": self.shift - float(configuration["number"]), "process": os.getpid()}
"""

SEARCH = '''

def search(directory, seed):
    """A seeded random search."""
    return Search(
        Numbers(),
        Cost(),
        strategy=strategies.RandomSearch(),
        directory=directory,
        seed=seed,
    )
'''


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    """A file that defines a search, next to a module that it imports."""
    (tmp_path / "helper.py").write_text("SHIFT = 1e6\n", encoding="utf-8")
    path = tmp_path / "my_search.py"
    path.write_text(OBJECTIVE + SEARCH, encoding="utf-8")
    before, modules = list(sys.path), set(sys.modules)
    yield path
    sys.path[:] = before
    for name in set(sys.modules) - modules:
        if name == "helper" or name.startswith("bonas_run_"):
            del sys.modules[name]


def bonas(*arguments: str, at: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bonas", *arguments],
        cwd=at,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def ran(file: Path, *options: str) -> int:
    return main(["run", str(file), "--directory", str(file.parent / "made"), *options])


def test_a_run_prints_its_best_and_the_same_command_resumes(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = file.parent / "made"
    assert ran(file, "--evaluations", "2") == 0
    first = capsys.readouterr()
    assert first.err == ""
    journal = (directory / "history.jsonl").read_bytes()
    best = History.load(directory).incumbent
    assert best is not None
    line = first.out.splitlines()[-1]
    number = best.trial.configuration["number"]
    assert line == (
        f"best cost {best.cost:.4g} at budget 1 (trial {best.trial.number}): number={number}"
    )

    assert ran(file, "--evaluations", "2") == 0
    assert capsys.readouterr().out.splitlines()[-1] == line
    assert (directory / "history.jsonl").read_bytes() == journal

    assert ran(file, "--evaluations", "3") == 0
    assert (directory / "history.jsonl").read_bytes().startswith(journal)
    assert len(History.load(directory)) == 3


def test_a_real_run_with_workers_in_the_default_directory(file: Path) -> None:
    done = bonas("run", file.name, "--evaluations", "4", "--workers", "2", at=file.parent)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("best cost ")
    history = History.load(file.parent / "runs" / "my_search")
    assert [str(e.status) for e in history.evaluations] == ["success"] * 4, history.evaluations
    assert len({e.metrics["process"] for e in history.evaluations}) == 2


def test_the_seed_reaches_the_search(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(file, "--evaluations", "1") == 0
    before = (file.parent / "made" / "history.jsonl").read_bytes()
    capsys.readouterr()
    assert ran(file, "--evaluations", "1", "--seed", "7") == 2
    error = capsys.readouterr().err
    assert "holds the history of another search" in error
    assert "seed was 0 and is now 7" in error
    assert (file.parent / "made" / "history.jsonl").read_bytes() == before


def test_a_changed_objective_is_noticed(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(file, "--evaluations", "1") == 0
    capsys.readouterr()
    changed = file.read_text(encoding="utf-8").replace("self.shift -", "self.shift +")
    file.write_text(changed, encoding="utf-8")
    assert ran(file, "--evaluations", "1") == 2
    assert "holds the history of another search" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("", "a run needs a limit: give evaluations, seconds, epochs"),
        ("--epochs 0", "epochs is a positive total, not 0.0"),
        ("--evaluations -1", "evaluations is a positive total, not -1"),
    ],
)
def test_impossible_limits_are_one_readable_error(
    file: Path, capsys: pytest.CaptureFixture[str], options: str, complaint: str
) -> None:
    assert ran(file, *options.split()) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("bonas: ")
    assert complaint in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert not (file.parent / "made").exists()


EXPECTED = "define `def search(directory, seed)`, which returns a bonas.Search"
WRONG = {
    "no function": ("", f"defines no function search(): {EXPECTED}"),
    "no function but a value": ("search = 3", f"defines no function search(): {EXPECTED}"),
    "other arguments": (
        "def search(path): ...",
        "cannot be called with directory=... and seed=... (missing a required argument: 'path'): "
        + EXPECTED,
    ),
    "no search": ("def search(directory, seed): ...", f"returned None: {EXPECTED}"),
    "another directory": (
        "def search(directory, seed):\n    return Search(Numbers(), Cost(), seed=seed)",
        "returned a search with another directory or seed than",
    ),
    "another seed": (
        "def search(directory, seed):\n    return Search(Numbers(), Cost(), directory=directory)",
        "pass both on, as in Search(..., directory=directory, seed=seed)",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_defines_no_search_is_one_readable_error(
    file: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    definition, complaint = WRONG[name]
    file.write_text(f"{OBJECTIVE}\n\n{definition}\n", encoding="utf-8")
    assert ran(file, "--evaluations", "1", "--seed", "3") == 2
    error = capsys.readouterr().err
    assert error.startswith("bonas: ")
    assert str(file) in error
    assert complaint in error
    assert error.count("\n") == 1


def test_a_missing_file_is_one_readable_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(tmp_path / "none.py"), "--evaluations", "1"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"bonas: there is no file {tmp_path / 'none.py'}: give a Python file")
    assert error.count("\n") == 1


RAISING = {
    "import": ("import no_such_package", "ModuleNotFoundError", "import no_such_package"),
    "exit": ("raise SystemExit('stop here')", "SystemExit", "raise SystemExit"),
    "syntax": ("def search(:", "SyntaxError", "def search(:"),
    "function": (
        "def search(directory, seed):\n    return Search(Numbers(), 3)",
        "ObjectiveError",
        "return Search(Numbers(), 3)",
    ),
}


@pytest.mark.parametrize("name", RAISING)
def test_a_file_that_raises_gives_the_traceback_of_its_own_code(
    file: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    code, kind, line = RAISING[name]
    file.write_text(f"{OBJECTIVE}\n\n{code}\n", encoding="utf-8")
    assert ran(file, "--evaluations", "1") == 2
    error = capsys.readouterr().err
    assert error.splitlines()[-1].startswith("bonas: ")
    assert f"{file} raised {kind}: mend the code above" in error.splitlines()[-1]
    assert line in error
    assert f'File "{file}"' in error
    assert "importlib" not in error
    assert "cli/run.py" not in error


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["fly"],
        ["run"],
        ["run", "a.py", "--epochs", "many"],
        ["run", "a.py", "--workers", "0"],
        ["status"],
    ],
)
def test_unknown_words_are_refused_by_the_parser(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert "usage: bonas" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "demo"])
def test_a_directory_that_cannot_be(
    file: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    blocked = ["--directory", str(file.parent / "helper.py")]
    more = [str(file), "--epochs", "9"] if command == "run" else []
    assert main([command, *more, *blocked]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_nothing_that_succeeded_is_failure_with_the_reason(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    working = file.read_text(encoding="utf-8")
    broken = working.replace("return {", "raise RuntimeError('on fire')\n        {")
    file.write_text(broken, encoding="utf-8")
    assert ran(file, "--evaluations", "2") == 1
    error = capsys.readouterr().err
    assert error.startswith("bonas: no evaluation succeeded; the last error:")
    assert "RuntimeError: on fire" in error


def test_a_limit_below_one_evaluation_is_failure(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(file, "--epochs", "0.5") == 1
    assert "no evaluation succeeded; the limits allow none" in capsys.readouterr().err


def test_an_interrupt_says_how_to_resume_and_releases_the_directory(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Search, **limits: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Search, "run", interrupted)
        assert ran(file, "--evaluations", "1") == 130
    assert "run the same command again to resume" in capsys.readouterr().err
    assert ran(file, "--evaluations", "1") == 0


def test_ctrl_c_in_a_real_process(file: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "bonas", "run", file.name, "--evaluations", "100000"],
        cwd=file.parent,
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        encoding="utf-8",
    )
    journal = file.parent / "runs" / "my_search" / "history.jsonl"
    deadline = time.monotonic() + 60
    while not (journal.exists() and b'"evaluation"' in journal.read_bytes()):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error == (
        "SIGINT: running trials finish first; a second SIGINT stops at once\n"
        "bonas: interrupted; run the same command again to resume\n"
    )
    assert len(History.load(journal.parent)) >= 1


def test_the_help_describes_the_commands_and_the_contract(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = {}
    for arguments in ([], ["run"], ["demo"], ["status"], ["watch"], ["check"], ["report"]):
        with pytest.raises(SystemExit) as exit:
            main([*arguments, "--help"])
        assert exit.value.code == 0
        shown[" ".join(arguments)] = capsys.readouterr().out
    for command in ("run", "demo", "status", "watch", "check", "report"):
        assert f"\n    {command} " in shown[""]
    assert "bonas run my_search.py --evaluations 100 --workers 4" in shown[""]
    assert "def search(directory, seed):" in shown["run"]
    assert "(default: runs/FILE)" in shown["run"]
    assert not [text for text in shown.values() if "None" in text or "==SUPPRESS==" in text]


def test_the_console_script_is_the_same_program() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    module, _, function = project["scripts"]["bonas"].partition(":")
    assert getattr(import_module(module), function) is main


def test_a_failure_is_the_exit_code_of_the_process(tmp_path: Path) -> None:
    done = bonas("status", "nowhere", at=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "bonas: there is no history in nowhere: history.jsonl is missing\n"
