"""Bytes brought to the disk, and what to do about a disk that refuses them."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What `fsync` reports on file systems that don't have it: the data is written all the same."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FORBIDDEN = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def sync(descriptor: int) -> bool:
    """Bring what was written to the disk.

    Returns:
        Whether the file system can do that; if not, the data is safe only from a crash of the
        process, not from one of the machine.

    Raises:
        OSError: the data could not be written.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        return False
    return True


def write_whole(path: Path, content: bytes | memoryview) -> None:
    """Write a file so that a crash or a full disk leaves either all of it or what was there.

    Args:
        path: the file; its folder exists. The same name ending in `.tmp` is used meanwhile.
        content: the whole of it.

    Raises:
        OSError: it cannot be written; the error names the file.
    """
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            sync(file.fileno())
        temporary.replace(path)
    except BaseException as error:  # a full disk is not to stay full of half a file
        with contextlib.suppress(OSError):  # of a disk that has become read-only
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise


def remedy(error: OSError) -> str:
    """The advice for someone whose disk raised this error."""
    if error.errno in FULL:
        return "make room"
    if error.errno in FORBIDDEN:
        return "make it writable"
    return "repair the disk or the connection to it"
