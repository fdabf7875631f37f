import errno
import json
import os
from pathlib import Path

import pytest

from fidelity import journal
from fidelity.journal import Journal, JournalError

HEADER = {"kind": "history", "format": journal.FORMAT}


def written(directory: Path, records: int = 3) -> Path:
    with Journal(directory) as file:
        file.append(HEADER, durable=True)
        for number in range(records):
            file.append({"kind": "trial", "number": number}, durable=False)
    return directory / journal.NAME


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = written(tmp_path)
    header, records, size = journal.read(path)
    assert header == HEADER
    assert [record["number"] for record in records] == [0, 1, 2]
    assert size == path.stat().st_size
    assert all(
        json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()
    )  # plain JSON Lines


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_torn_last_line_is_dropped_with_a_warning(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.warns(UserWarning, match="torn last line"):
        assert len(journal.read(path)[1]) == 2
    with Journal(tmp_path) as file:
        with pytest.warns(UserWarning, match="torn last line"):
            _, records = file.records()
        assert len(records) == 2
        file.append({"kind": "trial", "number": 2}, durable=True)
    assert [record["number"] for record in journal.read(path)[1]] == [0, 1, 2]


def test_a_damaged_line_in_the_middle_is_an_error_and_nothing_changes(tmp_path: Path) -> None:
    path = written(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b'"number":1', b'"number":7')
    path.write_bytes(b"".join(lines))
    with pytest.raises(JournalError, match=r"line 3 .* is damaged"):
        journal.read(path)
    assert path.read_bytes() == b"".join(lines)


def test_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / journal.NAME
    path.write_bytes(journal.encode({"kind": "history", "format": 99}))
    with pytest.raises(JournalError, match="has format 99, this version reads format 1"):
        journal.read(path)
    path.write_bytes(journal.encode({"kind": "trial"}))
    with pytest.raises(JournalError, match="is no history"):
        journal.read(path)
    with pytest.raises(JournalError, match="there is no history in"):
        journal.read(tmp_path / "nothing" / journal.NAME)


def test_two_writers_are_refused(tmp_path: Path) -> None:
    with Journal(tmp_path), pytest.raises(JournalError, match=f"in use by process {os.getpid()}"):
        Journal(tmp_path)
    Journal(tmp_path).close()  # free again


def test_a_directory_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(JournalError, match="cannot be written"):
        Journal(tmp_path / "file" / "directory")


def test_a_full_disk_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with Journal(tmp_path) as file:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(JournalError, match="No space left on device"):
            file.append({"kind": "trial", "number": 3}, durable=True)
    assert path.read_bytes() == before
