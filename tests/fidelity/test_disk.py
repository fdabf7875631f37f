from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from fidelity.disk import remedy, sync, write_whole


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    for content in (b"first", b"second"):
        write_whole(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_what_cannot_be_written_leaves_what_was_there_and_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refused(descriptor: int) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "page.html"
    write_whole(path, b"first")
    monkeypatch.setattr(os, "fsync", refused)
    with pytest.raises(OSError, match=f"{os.strerror(number)}.*page.html"):
        write_whole(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_sync_says_whether_the_file_system_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "file").open("wb") as file:
        assert sync(file.fileno())
    read, write = os.pipe()  # which has no fsync
    assert not sync(write)
    os.close(read)
    os.close(write)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EDQUOT, "make room"),
        (errno.EROFS, "make it writable"),
        (errno.EACCES, "make it writable"),
        (errno.EIO, "repair the disk or the connection to it"),
    ],
)
def test_the_advice_is_that_of_the_error(number: int, advice: str) -> None:
    assert remedy(OSError(number, os.strerror(number))) == advice
