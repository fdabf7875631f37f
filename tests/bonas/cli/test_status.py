from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest
import torch
from ConfigSpace import Configuration

from bonas.cli.main import main
from bonas.cli.status import status
from bonas.runners.in_process import InProcess
from bonas.search.directory import SearchDirectory
from bonas.search.search import Search
from fidelity.history.goal import Constraint
from fidelity.history.journal import NAME, OWNER
from fidelity.objective import Context
from fidelity.schedules import FullFidelity
from tests.bonas.runners.fakes import Counting, Numbers, run
from tests.faults.searches import plain, script, searching
from tests.faults.test_files import HOLDING


def snapshot(directory: Path) -> dict[Path, tuple[int, bytes]]:
    """Everything in a directory, and when it was changed."""
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes())
        for path in directory.rglob("*")
        if path.is_file()
    }


def leaving(configuration: Configuration, context: Context) -> float:
    number = int(configuration["number"])
    if number == 2:
        raise ValueError("broken")
    context.checkpoint.save({"weights": torch.zeros(10)})
    return 10.0 - number


def test_status_says_what_there_is_and_touches_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Search(
        Numbers(), leaving, strategy=Counting(), schedule=FullFidelity(), directory=tmp_path
    ) as made:
        run(made, InProcess(), evaluations=4)
        assert made.ask() is not None
    before = snapshot(tmp_path)
    assert main(["status", str(tmp_path)]) == 0
    assert snapshot(tmp_path) == before
    lines = capsys.readouterr().out.splitlines()
    size = sum(path.stat().st_size for path in (tmp_path / "checkpoints").iterdir()) / 1e6
    assert lines[:5] == [
        str(tmp_path),
        "space Numbers()",
        "objective function()",
        "strategy Counting(repeats=1)",
        "schedule FullFidelity(max_budget=1.0), seed 0",
    ]
    assert lines[5].startswith("4 evaluations of 5 trials, 4 epochs spent in 0:00:0")
    assert lines[6:9] == [
        "best cost 7 at budget 1 (trial 3): number=3",
        "status: success 3, crashed 1",
        "cached results reused: 0",
    ]
    assert lines[9] == "to be evaluated when the search resumes:"
    assert lines[10].startswith("  trial 4 at budget 1, proposed 0:00:")
    assert lines[11] == f"checkpoints: 1 files, {size:.1f} MB"
    assert lines[12] == "no process is writing to it"


def test_who_writes_is_named_and_seen_to_be_gone(tmp_path: Path) -> None:
    with script(HOLDING, tmp_path, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "holding\n"
            look = SearchDirectory.read(tmp_path)
            assert look.running
            host = socket.gethostname()
            assert status(look)[-1] == f"in use by process {process.pid} on {host}"
        finally:
            process.kill()
    look = SearchDirectory.read(tmp_path)
    assert not look.running
    assert status(look)[-1] == f"left by process {process.pid} on {host}, which has ended"


def test_of_a_process_on_another_machine_nothing_is_known(tmp_path: Path) -> None:
    with searching(tmp_path, plain) as made:
        run(made, InProcess(), evaluations=1)
    (tmp_path / OWNER).write_text("process 1 on elsewhere", encoding="utf-8")
    assert SearchDirectory.read(tmp_path).running


def test_promotions_and_long_queues_are_told_shortly(tmp_path: Path) -> None:
    with searching(tmp_path, plain) as made:
        for _ in range(12):
            made.ask()
        lines = status(SearchDirectory.read(tmp_path))
    assert "no success yet" in lines
    assert "running or next:" in lines
    assert "  and 4 more" in lines
    assert SearchDirectory.read(tmp_path).proposed.keys() == set(range(12))
    assert all(
        abs(time.time() - at) < 600 for at in SearchDirectory.read(tmp_path).proposed.values()
    )


def test_a_line_that_is_being_written_is_no_matter(tmp_path: Path) -> None:
    with searching(tmp_path, plain) as made:
        run(made, InProcess(), evaluations=2)
    with (tmp_path / NAME).open("ab") as file:
        file.write(b'{"crc":"0')
    assert len(SearchDirectory.read(tmp_path).history) == 2


@pytest.mark.parametrize("command", ["status", "watch", "check", "report"])
def test_a_directory_without_a_search_is_one_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([command, str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error == f"bonas: there is no history in {tmp_path}: history.jsonl is missing\n"
    assert os.listdir(tmp_path) == []


def test_several_objectives_and_limits_are_told_of(tmp_path: Path) -> None:
    def objective(configuration: Configuration) -> dict[str, float]:
        number = float(configuration["number"])
        return {"cost": 9 - number, "size": number}

    def made(directory: Path, constraint: Constraint) -> Search:
        return Search(
            Numbers(), objective, strategy=Counting(), schedule=FullFidelity(),
            objectives=("cost", "size"), constraints=[constraint], directory=directory,
        )  # fmt: skip

    with made(tmp_path / "loose", Constraint("size", 100.0)) as search:
        run(search, InProcess(), evaluations=3)
    assert "Pareto front: 3 evaluations" in status(SearchDirectory.read(tmp_path / "loose"))
    with (
        made(tmp_path / "tight", Constraint("size", -1.0)) as search,
        pytest.warns(UserWarning, match="none of 3 evaluations met all constraints"),
    ):
        run(search, InProcess(), evaluations=3)
    assert "no success within all constraints yet" in status(
        SearchDirectory.read(tmp_path / "tight")
    )
