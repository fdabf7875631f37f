import errno
import io
import json
import os
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from socket import gethostname

import pytest

from fidelity.history import journal
from fidelity.history.journal import Journal, JournalError

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
    path.write_bytes(journal.encode({"kind": "history"}))
    with pytest.raises(JournalError, match="has format no number, this version reads format 1"):
        journal.read(path)
    path.write_bytes(journal.encode({"kind": "trial"}))
    with pytest.raises(JournalError, match="is not a history"):
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


def remove(directory: Path) -> None:
    shutil.rmtree(directory)


def rename(directory: Path) -> None:
    directory.rename(directory.with_name("elsewhere"))


def replace(directory: Path) -> None:
    rename(directory)
    written(directory)


def replace_by_a_file(directory: Path) -> None:
    rename(directory)
    directory.write_text("", encoding="utf-8")


@pytest.mark.parametrize("happens", [remove, rename, replace, replace_by_a_file])
def test_a_directory_that_goes_away_is_an_error_at_the_next_record(
    tmp_path: Path, happens: Callable[[Path], None]
) -> None:
    directory = tmp_path / "search"
    written(directory)
    with Journal(directory) as file:
        happens(directory)
        with pytest.raises(JournalError, match="removed, renamed or replaced while the search ran"):
            file.append({"kind": "trial", "number": 3}, durable=True)


def test_a_directory_that_was_renamed_is_continued_where_it_is(tmp_path: Path) -> None:
    directory = tmp_path / "search"
    written(directory)
    with Journal(directory) as file:
        rename(directory)
        with pytest.raises(JournalError, match="if it was renamed, move it back"):
            file.append({"kind": "trial", "number": 3}, durable=True)
    with Journal(directory.with_name("elsewhere")) as file:
        assert len(file.records()[1]) == 3
        file.append({"kind": "trial", "number": 3}, durable=True)
    assert len(journal.read(directory.with_name("elsewhere") / journal.NAME)[1]) == 4


def test_closing_leaves_the_owner_of_another_search_in_its_place(tmp_path: Path) -> None:
    file = Journal(tmp_path / "search")
    rename(tmp_path / "search")
    with Journal(tmp_path / "search"):
        file.close()
        assert journal.owner(tmp_path / "search") == f"process {os.getpid()} on {gethostname()}"


def forbid(*arguments: object, **settings: object) -> None:
    raise OSError(errno.EROFS, "Read-only file system")


class ReadOnly(io.FileIO):
    write = forbid


def test_a_disk_that_turns_read_only_is_one_error_and_releases_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path)
    before = path.read_bytes()
    file = Journal(tmp_path)
    file._file.close()
    file._file = ReadOnly(path, "ab")
    with monkeypatch.context() as read_only:
        read_only.setattr(os, "ftruncate", forbid)
        read_only.setattr(Path, "unlink", forbid)
        with pytest.raises(
            JournalError, match=r"Read-only file system.*make it writable"
        ) as raised:
            file.append({"kind": "trial", "number": 3}, durable=True)
        assert isinstance(raised.value.__cause__, OSError)
        assert raised.value.__cause__.__context__ is None
        file.close()
    assert path.read_bytes() == before
    Journal(tmp_path).close()  # the lock is free


def test_half_a_record_that_could_not_be_cut_off_is_cut_off_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path)
    with Journal(tmp_path) as file:
        with monkeypatch.context() as broken:
            broken.setattr(os, "ftruncate", forbid)
            broken.setattr(os, "fsync", forbid)
            for number in (3, 4):
                with pytest.raises(JournalError, match="its earlier records are intact"):
                    file.append({"kind": "trial", "number": number}, durable=True)
        file.append({"kind": "trial", "number": 5}, durable=True)
    assert [record["number"] for record in journal.read(path)[1]] == [0, 1, 2, 5]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOTSUP])
def test_without_fsync_everything_is_written_and_one_warning_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def unsupported(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", unsupported)
    with Journal(tmp_path) as file:
        with pytest.warns(UserWarning, match="has no fsync: what is recorded survives the end"):
            file.append(HEADER, durable=True)
        with warnings.catch_warnings(action="error"):
            file.append({"kind": "trial", "number": 0}, durable=True)
    assert len(journal.read(tmp_path / journal.NAME)[1]) == 1


def test_a_full_disk_at_the_start_says_so_and_releases_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, text: str, encoding: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as filled:
        filled.setattr(Path, "write_text", full)
        with pytest.raises(JournalError, match=r"No space left on device.*make room"):
            Journal(tmp_path)
    Journal(tmp_path).close()
