"""Faults of disks, of files, and of other processes in the same directory."""

from __future__ import annotations

import contextlib
import pickle
import resource
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from ConfigSpace import Configuration

from bonas.cli.main import main
from bonas.cli.status import status
from bonas.reports.report import report
from bonas.runners.in_process import InProcess
from bonas.search.directory import SearchDirectory
from bonas.search.progress import Silent
from fidelity.checkpoint import CheckpointWarning
from fidelity.history.history import History
from fidelity.history.journal import NAME, OWNER, JournalError, decode, encode
from fidelity.objective import Context
from fidelity.schedules import AsynchronousHalving
from tests.bonas.runners.fakes import run
from tests.bonas.search.test_search import search, told
from tests.faults.searches import goes_on, plain, script, searching


def searched(directory: Path, evaluations: int = 4) -> Path:
    with searching(directory, plain) as made:
        run(made, InProcess(), evaluations=evaluations)
    return directory / NAME


class Exploit:
    """A pickle that makes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


# The journal


@pytest.mark.parametrize("cut", [1, 10, 40])
def test_a_torn_last_line_costs_one_evaluation(tmp_path: Path, cut: int) -> None:
    path = searched(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.warns(UserWarning, match="the torn last line .* is dropped"):
        assert len(History.load(tmp_path)) == 3
    with (
        pytest.warns(UserWarning, match="the torn last line .* is dropped"),
        searching(tmp_path, plain) as made,
    ):
        history = run(made, InProcess(), evaluations=5)
    assert [e.cost for e in history.evaluations] == [0.0, 1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize("line", [0, 2])
def test_a_flipped_bit_is_found_and_nothing_is_touched(tmp_path: Path, line: int) -> None:
    path = searched(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    whole = lines[line]
    lines[line] = whole[:30] + bytes([whole[30] ^ 1]) + whole[31:]
    path.write_bytes(b"".join(lines))
    with pytest.raises(JournalError, match=f"line {line + 1} of .* is damaged"):
        searching(tmp_path, plain)
    assert path.read_bytes() == b"".join(lines)
    lines[line] = whole  # restored from a copy
    path.write_bytes(b"".join(lines))
    goes_on(tmp_path, 4)


def changed(path: Path, how: str) -> None:
    """Changes the journal, with every checksum intact."""
    header, *lines = path.read_bytes().splitlines(keepends=True)
    match how:
        case "a repeated line":
            lines.append(lines[-1])
        case "swapped lines":
            lines[0], lines[1] = lines[1], lines[0]
        case "an unknown kind":
            lines.append(encode({"kind": "prophecy"}))
        case "a second header":
            lines.append(header)
        case "a header without a format":
            found = decode(header)
            header = encode({k: v for k, v in found.items() if k != "format"})
        case "a header without a space":
            found = decode(header)
            header = encode({k: v for k, v in found.items() if k != "configuration_space"})
    path.write_bytes(b"".join([header, *lines]))


@pytest.mark.parametrize(
    "how",
    [
        "a repeated line",
        "swapped lines",
        "an unknown kind",
        "a second header",
        "a header without a format",
        "a header without a space",
    ],
)
def test_a_journal_out_of_order_is_one_error_for_everyone_and_nothing_stays_locked(
    tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = searched(tmp_path)
    whole = path.read_bytes()
    changed(path, how)
    before = path.read_bytes()
    for look in (
        History.load,
        SearchDirectory.read,
        lambda at: report(at, tmp_path / "report.html"),
    ):
        with pytest.raises(JournalError):
            look(tmp_path)
    with pytest.raises(JournalError):
        searching(tmp_path, plain)
    for command in (["check"], ["status"], ["report"]):
        assert main([*command, str(tmp_path)]) != 0
        told = capsys.readouterr()
        assert "Traceback" not in told.out + told.err
        assert path.read_bytes() == before
    path.write_bytes(whole)  # restored from a copy
    goes_on(tmp_path, 4)


def test_a_journal_that_is_a_pickle_is_not_executed(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(pickle.dumps(Exploit(tmp_path / "touched"), protocol=0) + b"\n")
    with pytest.raises(JournalError, match=r"line 1 of .* is damaged"):
        searching(tmp_path, plain)
    assert not (tmp_path / "touched").exists()


def test_a_lock_that_names_a_pickle_as_its_owner_is_only_shown(tmp_path: Path) -> None:
    searched(tmp_path)
    (tmp_path / OWNER).write_bytes(pickle.dumps(Exploit(tmp_path / "touched"), protocol=0))
    said = status(SearchDirectory.read(tmp_path))[-1]
    assert said.startswith("in use by ")
    assert not (tmp_path / "touched").exists()
    goes_on(tmp_path, 4)


# Disks


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system with room for 64 KiB, in memory."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = (
        shutil.which("mount")
        and not subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(path)], capture_output=True
        ).returncode
    )
    if not mounted:
        pytest.skip("no file system can be mounted here")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 512)


def test_a_full_disk_stops_the_search_which_goes_on_when_there_is_room(small_disk: Path) -> None:
    filler = small_disk / "filler"

    def filling(configuration: Configuration) -> float:
        if int(configuration["number"]) == 3:
            fill(filler)
        return float(configuration["number"])

    with (
        searching(small_disk, filling) as made,
        pytest.raises(JournalError, match=r"No space left on device.*are intact; make room"),
    ):
        run(made, InProcess(), evaluations=200)
    before = len(History.load(small_disk))
    assert before >= 3
    filler.unlink()
    goes_on(small_disk, before)


def test_a_full_disk_at_a_checkpoint_costs_the_checkpoint_alone(
    small_disk: Path, tmp_path: Path
) -> None:
    def leaving(configuration: Configuration, context: Context) -> float:
        number = int(configuration["number"])
        context.checkpoint.target = small_disk / f"trial-{number}.pt"
        size = 2**17 if number == 1 else 2**4
        context.checkpoint.save({"weights": torch.zeros(size)})
        assert (small_disk / f"trial-{number}.pt").exists() == (number != 1)
        assert not list(small_disk.glob("*.tmp"))
        (small_disk / f"trial-{number}.pt").unlink(missing_ok=True)
        return float(number)

    with (
        searching(tmp_path / "search", leaving) as made,
        pytest.warns(CheckpointWarning, match=r"trial-1.pt cannot be written \(No space left"),
    ):
        history = run(made, InProcess(), evaluations=3)
    assert [e.status for e in history.evaluations] == ["success", "success", "success"]
    assert [e.unsaved for e in history.evaluations] == [None, "No space left on device", None]
    assert told(History.load(tmp_path / "search")) == told(history)


@pytest.mark.parametrize("renamed", [False, True])
def test_a_directory_that_goes_away_stops_the_search(tmp_path: Path, renamed: bool) -> None:
    directory = tmp_path / "search"

    def leaving(configuration: Configuration) -> float:
        if int(configuration["number"]) == 2:
            directory.rename(tmp_path / "elsewhere")
            if not renamed:
                shutil.rmtree(tmp_path / "elsewhere")
        return float(configuration["number"])

    with (
        searching(directory, leaving) as made,
        pytest.raises(JournalError, match="removed, renamed or replaced while the search ran"),
    ):
        run(made, InProcess(), evaluations=10)
    if renamed:
        goes_on(tmp_path / "elsewhere", 2)


def test_a_file_size_limit_stops_the_search_unharmed(tmp_path: Path) -> None:
    searched(tmp_path, 2)
    size = (tmp_path / NAME).stat().st_size
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with searching(tmp_path, plain) as made:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
            with pytest.raises(JournalError, match="cannot be written"):
                run(made, InProcess(), evaluations=10)
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    goes_on(tmp_path, 2)


# Checkpoints


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[content.index(bytes(4000)) + 2000] ^= 1  # of the weights
    path.write_bytes(content)


def poison(path: Path) -> None:
    torch.save({"run": Exploit(path.with_name("touched"))}, path)


def poison_plainly(path: Path) -> None:
    path.write_bytes(pickle.dumps(Exploit(path.with_name("touched")), protocol=2))


@pytest.mark.parametrize("damage", [truncate, flip, poison, poison_plainly])
def test_a_damaged_checkpoint_is_trained_anew(tmp_path: Path, damage: Any) -> None:
    damaged: list[Path] = []

    def training(configuration: Configuration, budget: float, context: Context) -> float:
        state = context.checkpoint.load() or {"epochs": 0.0}
        assert state["epochs"] in (0.0, budget / 3)
        context.checkpoint.save({"epochs": budget, "weights": torch.zeros(1000)})
        if budget == 1 and not damaged:
            assert context.checkpoint.target is not None
            damaged.append(context.checkpoint.target)
            damage(context.checkpoint.target)
        return 1 / budget + (0 if damaged == [context.checkpoint.target] else 1)

    with (
        search(tmp_path, objective=training, schedule=AsynchronousHalving(1, 9)) as made,
        pytest.warns(UserWarning, match=r"(?s)cannot be read .* training starts from scratch"),
    ):
        history = made.run(evaluations=12, progress=Silent())
    assert all(e.succeeded for e in history.evaluations)
    assert sum(e.retrained for e in history.evaluations) == 1
    assert not list((tmp_path / "checkpoints").glob("touched"))


# Other processes


HOLDING = """
import time
from pathlib import Path
from tests.faults.searches import plain, searching
from tests.bonas.runners.fakes import run
from bonas.reports.report import report
from bonas.runners.in_process import InProcess

with searching(Path(sys.argv[1]), plain) as search:
    run(search, InProcess(), evaluations=3)
    print("holding", flush=True)
    time.sleep(600)
"""


def test_a_directory_has_one_writer_and_any_number_of_readers(tmp_path: Path) -> None:
    with script(HOLDING, tmp_path, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "holding\n"
            with pytest.raises(JournalError, match=f"in use by process {process.pid} on "):
                searching(tmp_path, plain)
            assert len(History.load(tmp_path)) == 3
        finally:
            process.kill()  # which leaves its lock behind
    goes_on(tmp_path, 3)


def test_leftovers_of_trials_that_no_history_knows_are_not_continued(tmp_path: Path) -> None:
    searched(tmp_path, 2)
    (tmp_path / "checkpoints").mkdir(exist_ok=True)
    torch.save({"step": 99}, tmp_path / "checkpoints" / "trial-2.pt")
    found: list[object] = []

    def looking(configuration: Configuration, context: Context) -> float:
        found.append(context.checkpoint.load())
        return float(configuration["number"])

    goes_on(tmp_path, 2, looking)
    assert found == [None, None]


def test_a_trial_that_was_broken_off_goes_on_from_its_own_checkpoint(tmp_path: Path) -> None:
    found: list[object] = []

    def breaking(configuration: Configuration, context: Context) -> float:
        found.append(context.checkpoint.load())
        if found == [None]:
            context.checkpoint.save({"step": 5})
            raise KeyboardInterrupt
        return float(configuration["number"])

    with searching(tmp_path, breaking) as made, pytest.raises(KeyboardInterrupt):
        run(made, InProcess(), evaluations=2)
    goes_on(tmp_path, 0, breaking)
    assert found == [None, {"step": 5}, None]
