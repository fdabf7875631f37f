from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from bonas.cli.check import check
from bonas.cli.main import main
from bonas.runners.in_process import InProcess
from fidelity.history.history import History
from fidelity.history.journal import NAME, encode
from tests.bonas.cli.test_status import leaving, snapshot
from tests.bonas.runners.fakes import run
from tests.faults.searches import goes_on, searching
from tests.faults.test_files import Exploit


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Of a search with two evaluations and the checkpoint of the second."""
    with searching(tmp_path, leaving) as made:
        run(made, InProcess(), evaluations=2)
    return tmp_path


def test_all_is_well(directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = snapshot(directory)
    assert main(["check", str(directory)]) == 0
    assert main(["check", str(directory), "--repair"]) == 0
    assert snapshot(directory) == before
    assert capsys.readouterr().out.splitlines()[:2] == [
        f"{directory / NAME}: 5 lines",
        "2 trials, 2 evaluations, 0 trials to be evaluated",
    ]


def test_a_torn_tail_is_reported_and_cut_off_if_asked(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = directory / NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    before = snapshot(directory)
    assert main(["check", str(directory)]) == 1
    assert "line 5, the last, is torn or just being written" in capsys.readouterr().out
    assert snapshot(directory) == before
    assert main(["check", str(directory), "--repair"]) == 0
    assert "line 5 was torn and is cut off" in capsys.readouterr().out
    assert path.read_bytes() == b"".join(whole.splitlines(keepends=True)[:4])
    assert main(["check", str(directory)]) == 0
    goes_on(directory, 1)


@pytest.mark.parametrize("repair", [False, True])
@pytest.mark.parametrize("line", [0, 2])
def test_damage_in_the_middle_is_never_touched(directory: Path, line: int, repair: bool) -> None:
    path = directory / NAME
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line][:30] + bytes([lines[line][30] ^ 4]) + lines[line][31:]
    path.write_bytes(b"".join(lines)[:-10])  # and a torn tail, which stays then
    before = snapshot(directory)
    found, well = check(directory, repair)
    assert not well
    assert [
        f"line {n} is damaged" in said for n, said in zip((line + 1, 5), found[1:], strict=True)
    ] == [
        True,
        True,
    ]
    assert snapshot(directory) == before


@pytest.mark.parametrize("repair", [False, True])
def test_a_file_that_is_no_history_is_never_touched(tmp_path: Path, repair: bool) -> None:
    (tmp_path / NAME).write_bytes(pickle.dumps(Exploit(tmp_path / "touched")))
    before = snapshot(tmp_path)
    assert not check(tmp_path, repair)[1]
    assert snapshot(tmp_path) == before


def test_records_that_do_not_follow_are_found(directory: Path) -> None:
    lines = (directory / NAME).read_bytes().splitlines(keepends=True)
    (directory / NAME).write_bytes(b"".join([*lines, lines[-1]]))
    found, well = check(directory)
    assert not well
    assert "line 6 does not follow from those before it: trial 1 is not pending" in found[1]


def test_a_line_of_another_kind_is_no_damage(directory: Path) -> None:
    with (directory / NAME).open("ab") as file:
        file.write(encode({"kind": "note"}))
    assert check(directory)[1]
    assert len(History.load(directory)) == 2


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def exploit(path: Path) -> None:
    torch.save({"run": Exploit(path.with_name("touched"))}, path)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:300])


@pytest.mark.parametrize("how", [damage, exploit, truncate])
def test_each_checkpoint_is_read(
    directory: Path, capsys: pytest.CaptureFixture[str], how: object
) -> None:
    (path,) = (directory / "checkpoints").iterdir()
    how(path)  # type: ignore[operator]
    before = snapshot(directory)
    assert main(["check", str(directory), "--repair"]) == 1
    said = capsys.readouterr().out
    assert f"the checkpoint {path} cannot be read" in said
    assert "training starts from scratch if its trial is promoted" in said
    assert snapshot(directory) == before


def test_a_checkpoint_of_nobody_is_named(directory: Path) -> None:
    torch.save({"step": 1}, directory / "checkpoints" / "trial-77.pt")
    found, well = check(directory)
    assert not well
    assert "trial-77.pt belongs to no trial of this history" in found[-1]


def test_repairing_a_search_that_runs_is_refused(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with searching(directory, leaving):
        with (directory / NAME).open("ab") as file:
            file.write(b"{")
        before = (directory / NAME).read_bytes()
        assert main(["check", str(directory), "--repair"]) == 2
        assert "is in use by process" in capsys.readouterr().err
        assert (directory / NAME).read_bytes() == before
