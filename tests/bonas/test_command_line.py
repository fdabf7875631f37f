from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bonas import strategies
from bonas.__main__ import main
from bonas.search.search import Search
from fidelity import schedules
from fidelity.history.history import History
from fidelity.training.training import Training

ROOT = Path(__file__).resolve().parent.parent.parent
TINY = ["--channels", "2", "--stages", "1", "--batch-size", "256"]
TINY += ["--min-budget", "1", "--max-budget", "1"]
RANDOM = ["--strategy", "RandomSearch", "--schedule", "FullFidelity"]


def search(directory: Path, *more: str) -> int:
    return main(["search", "--directory", str(directory), *TINY, *RANDOM, *more])


def test_a_search_prints_its_best_and_the_same_command_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(tmp_path, "--evaluations", "2") == 0
    first = capsys.readouterr()
    assert first.err == ""
    history = (tmp_path / "history.jsonl").read_bytes()
    best = History.load(tmp_path).incumbent
    assert best is not None
    line = first.out.splitlines()[-1]
    assert line.startswith(f"best cost {best.cost:.4f} at budget 1 (trial {best.trial.number}): |")

    assert search(tmp_path, "--evaluations", "2") == 0
    assert capsys.readouterr().out.splitlines()[-1] == line
    assert (tmp_path / "history.jsonl").read_bytes() == history

    assert search(tmp_path, "--evaluations", "3") == 0
    assert (tmp_path / "history.jsonl").read_bytes().startswith(history)
    assert len(History.load(tmp_path)) == 3


def test_hyperband_and_its_budgets_come_from_the_options(tmp_path: Path) -> None:
    options = ["--max-budget", "2", "--eta", "2", "--schedule", "Hyperband", "--evaluations", "3"]
    assert search(tmp_path, *options) == 0
    assert History.load(tmp_path).budgets == (1.0, 2.0)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("", "a run needs a limit: give evaluations, seconds, epochs"),
        ("--epochs 0", "epochs is a positive total, not 0.0"),
        ("--evaluations -1", "evaluations is a positive total, not -1"),
        ("--epochs 9 --max-budget -1", "the minimal budget is positive, not -1.0"),
        (
            "--epochs 9 --schedule Hyperband --min-budget 5 --max-budget 2",
            "the maximal budget 2.0 is below the minimal budget 5.0",
        ),
        ("--epochs 9 --schedule SuccessiveHalving --eta 1", "eta, the factor between rungs"),
        ("--epochs 9 --channels 0", "channels is at least 1, not 0"),
        ("--epochs 9 --batch-size 0", "batch_size is 0"),
        ("--epochs 9 --root somewhere", "digits is in no folder: leave --root out"),
        ("--epochs 9 --data cifar10", "cifar10 needs the folder with its files: give --root"),
        ("--epochs 9 --data cifar10 --root no_such_folder", "no_such_folder"),
    ],
)
def test_bad_input_is_one_readable_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: str, complaint: str
) -> None:
    assert search(tmp_path / "new", *options.split()) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith("bonas: ")
    assert complaint in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    "arguments", [[], ["fly"], ["search", "--strategy", "Guess"], ["search", "--epochs", "many"]]
)
def test_unknown_words_are_refused_by_the_parser(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert "usage: python -m bonas" in capsys.readouterr().err


def test_another_search_in_the_directory_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(tmp_path, "--evaluations", "1") == 0
    before = (tmp_path / "history.jsonl").read_bytes()
    capsys.readouterr()
    assert search(tmp_path, "--evaluations", "1", "--seed", "7") == 2
    error = capsys.readouterr().err
    assert "holds the history of another search" in error
    assert "seed was 0 and is now 7" in error
    assert (tmp_path / "history.jsonl").read_bytes() == before


@pytest.mark.parametrize("command", ["search", "demo"])
def test_a_directory_that_cannot_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    arguments = [command, "--directory", str(tmp_path / "file")]
    assert main([*arguments, *(["--epochs", "9"] if command == "search" else [])]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_nothing_that_succeeded_is_failure_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **named: object) -> float:
        raise RuntimeError("the machine is on fire")

    # The signature stays: it is what a search asks of an objective.
    def call(self: Training, configuration: object, budget: float, seed: int = 0) -> float:
        return broken()

    monkeypatch.setattr(Training, "__call__", call)
    assert search(tmp_path, "--evaluations", "2") == 1
    error = capsys.readouterr().err
    assert error.startswith("bonas: no evaluation succeeded; the last error:")
    assert "RuntimeError: the machine is on fire" in error


def test_a_limit_below_one_evaluation_is_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert search(tmp_path, "--epochs", "0.5") == 1
    assert "no evaluation succeeded: the limits leave room for none" in capsys.readouterr().err


def test_an_interrupt_says_how_to_go_on_and_frees_the_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Search, **limits: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Search, "run", interrupted)
        assert search(tmp_path, "--evaluations", "1") == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    assert search(tmp_path, "--evaluations", "1") == 0


def test_ctrl_c_in_a_real_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bonas", "search", "--directory", str(tmp_path)]
    process = subprocess.Popen(
        [*command, *TINY, *RANDOM, "--evaluations", "100000"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that runs the tests in the background has them ignore Ctrl-C.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        encoding="utf-8",
    )
    history = tmp_path / "history.jsonl"
    deadline = time.monotonic() + 60
    while not (history.exists() and b'"evaluation"' in history.read_bytes()):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error == (
        "SIGINT: running trials finish first; a second SIGINT stops at once\n"
        "bonas: interrupted; the same command goes on from here\n"
    )
    assert len(History.load(tmp_path)) >= 1


def test_help_names_every_choice(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main(["search", "--help"])
    assert exit.value.code == 0
    shown = capsys.readouterr().out
    for name in ("RandomSearch", "BayesianOptimization", "Hyperband", "SuccessiveHalving"):
        assert name in shown
    for name in ("FullFidelity", "digits", "fashion_mnist", "cifar10", "mnist1d"):
        assert name in shown
    for name in ("Recommender", "Exhausted", "ScheduleError", "Promote", "from_arrays"):
        assert name not in shown
    assert "default: None" not in shown
    assert "(default: runs/search)" in shown
    assert "{Strategy" not in shown
    assert ",Schedule}" not in shown


@pytest.mark.parametrize(("package", "method"), [(strategies, "propose"), (schedules, "next")])
def test_every_choice_can_be_made_from_the_options(package: object, method: str) -> None:
    from bonas.__main__ import BUDGETS, _choices, _made, _parser

    options = _parser().parse_args(["search", "--epochs", "9"])
    for name in _choices(package, method, BUDGETS):  # type: ignore[arg-type]
        assert callable(getattr(_made(getattr(package, name), options), method))
