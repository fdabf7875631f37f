"""An append-only file of JSON Lines: a manifest, then one checksummed record per line."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import warnings
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from filelock import FileLock, Timeout

from fidelity.disk import remedy, sync

NAME = "history.jsonl"
OWNER = "owner"
FORMAT = 1
NOTE = "note"
"""The kind of records that users may add; they are skipped."""
BEGIN = b'{"crc":"'
"""The beginning of each line."""


class JournalError(RuntimeError):
    """A history that cannot be read, written or resumed; it was not changed."""


def encode(record: Mapping[str, Any]) -> bytes:
    """Return one line: the record with a checksum of its text as first member."""
    text = json.dumps(record, separators=(",", ":"))
    return f'{{"crc":"{zlib.crc32(text.encode()):08x}",{text[1:]}\n'.encode()


def decode(line: bytes) -> dict[str, Any]:
    """Return the record of one line.

    Raises:
        ValueError: the line is torn, or its checksum does not match.
    """
    prefix, text = line[:18], b"{" + line[18:].rstrip(b"\n")
    if not line.endswith(b"\n") or prefix != f'{{"crc":"{zlib.crc32(text):08x}",'.encode():
        raise ValueError("the checksum does not match")
    return dict(json.loads(text))


def read(path: Path) -> tuple[dict[str, Any], list[dict[str, Any]], int]:
    """Return the content of a journal without changing it.

    A torn last line (the process died while it wrote) is skipped with a warning.

    Returns:
        The manifest, the records after it, and the size in bytes of the intact lines.

    Raises:
        JournalError: there is no such file, it has another format, or a line before the last
            one is damaged.
    """
    try:
        lines = path.read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        raise JournalError(
            f"there is no history in {path.parent}: {path.name} is missing"
        ) from None
    records = []
    size = 0
    for number, line in enumerate(lines, start=1):
        try:
            records.append(decode(line))
            size += len(line)
        except ValueError as error:
            if number < len(lines):
                raise JournalError(
                    f"line {number} of {path} is damaged ({error}); restore the file from a copy, "
                    "or remove that line if you can do without its record"
                ) from error
            warnings.warn(f"the torn last line of {path} is dropped: {line[:60]!r}", stacklevel=2)
    if not records or records[0].get("kind") != "history":
        raise JournalError(f"{path} is not a history of bonas: its first line is not a manifest")
    if records[0].get("format") != FORMAT:
        written = records[0].get("format", "no number")
        raise JournalError(f"{path} has format {written}, this version reads format {FORMAT}")
    return records[0], records[1:], size


def is_blank(path: Path) -> bool:
    """Return whether a file holds at most a part of a manifest, so that it holds no result.

    The process died, or the power failed, while the first line was written.
    """
    with path.open("rb") as file:
        first = file.readline()
    if first.endswith(b"\n"):
        return False
    return BEGIN.startswith(first[: len(BEGIN)]) or not first.strip(b"\0")


def owner(directory: Path) -> str | None:
    """Return the process and host that write, or last wrote, in a directory; None if unknown."""
    try:
        return (directory / OWNER).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


class Journal:
    """The one writer of a journal.

    Args:
        directory: of the journal; created if it is missing.

    Raises:
        JournalError: the directory cannot be written, or another process is writing to it.
    """

    def __init__(self, directory: Path) -> None:
        directory = directory.absolute()  # an objective may change the working directory
        self.path = directory / NAME
        self._owner = directory / OWNER
        self._torn: int | None = None  # the size without a half-written record
        self._syncs = True
        self._lock = FileLock(directory / "lock", timeout=0)
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            self._owner.write_text(
                f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8"
            )
            self._file = self.path.open("ab", buffering=0)
        except Timeout:
            raise JournalError(
                f"{directory} is in use by {owner(directory) or 'another process'}: "
                "wait for it, or choose another directory"
            ) from None
        except UnicodeEncodeError as error:
            raise JournalError(
                f"{str(directory)!a} cannot be a path: file names are {error.encoding} in this "
                "locale; set the environment variable PYTHONUTF8=1, or choose another name"
            ) from error
        except OSError as error:
            self._lock.release()
            raise JournalError(
                f"{directory} cannot be written ({error.strerror or error}): {remedy(error)}, or "
                "choose another directory"
            ) from error

    def records(self) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """Return the manifest (None if new) and the records; a torn last line is cut off."""
        size = self.path.stat().st_size
        if is_blank(self.path):
            if size:
                warnings.warn(
                    f"the manifest of {self.path} is torn and nothing follows it: begun again",
                    stacklevel=2,
                )
                self.clear()
            return None, []
        manifest, records, size = read(self.path)
        os.ftruncate(self._file.fileno(), size)
        return manifest, records

    def clear(self) -> None:
        """Remove everything, the manifest too; for a journal without evaluations."""
        os.ftruncate(self._file.fileno(), 0)

    def append(self, record: Mapping[str, Any], *, durable: bool) -> None:
        """Write one record.

        Args:
            record: as plain JSON values.
            durable: it is on the disk when this returns.

        Raises:
            JournalError: it could not be written, and the file is unchanged; or the file was
                removed, renamed or replaced.
        """
        line = encode(record)
        size = self._size()
        try:
            if self._torn is not None:
                os.ftruncate(self._file.fileno(), self._torn)
            if self._file.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            synced = not durable or not self._syncs or sync(self._file.fileno())
        except OSError as error:
            self._torn = size
            with contextlib.suppress(OSError):  # else it is cut off before the next record
                os.ftruncate(self._file.fileno(), size)
                self._torn = None
            raise JournalError(
                f"{self.path} cannot be written ({error.strerror or error}): its earlier records "
                f"are intact; {remedy(error)} and start again to resume from there"
            ) from error
        self._torn = None
        if not synced:
            self._syncs = False
            warnings.warn(
                f"the file system of {self.path.parent} has no fsync: what is recorded survives "
                "the end of the process, but the last records may not survive a power failure",
                stacklevel=2,
            )

    def _size(self) -> int:
        """Return the size in bytes of all complete records.

        Raises:
            JournalError: the open file is no longer the one that the path names.
        """
        try:
            opened = os.fstat(self._file.fileno())
            there = os.path.samestat(opened, os.stat(self.path))
            how = "is another file now"
        except OSError as error:
            there, how = False, f"cannot be found any more ({error.strerror or error})"
        if not there:
            raise JournalError(
                f"{self.path} {how}: it or its directory was removed, renamed or replaced while "
                "the search ran. Nothing more is recorded; if it was renamed, move it back, and "
                "start again to resume from there"
            )
        return opened.st_size if self._torn is None else self._torn

    def close(self) -> None:
        """Release the directory lock, whatever the state of the disk."""
        try:
            if self._file.closed:
                return
            # The owner's name matters only while the lock is held; in a directory that was
            # replaced it may belong to another process.
            with contextlib.suppress(OSError, JournalError):
                self._size()
                self._owner.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._file.close()
        finally:
            self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
