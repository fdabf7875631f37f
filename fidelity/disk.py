"""Durable writes, and advice for a disk that refuses them."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""Errors of `fsync` on file systems that lack it; the data is written nevertheless."""

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FORBIDDEN = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def sync(descriptor: int) -> bool:
    """Flush written data to the disk.

    Returns:
        Whether the file system supports it; if not, the data survives a crash of the process, but
        perhaps not one of the machine.

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
    """Write a file so that a crash or a full disk leaves either the new or the old content.

    Args:
        path: of the file, in an existing folder. The same name with `.tmp` is used meanwhile.
        content: of the file.

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
    except BaseException as error:  # so that half a file does not fill the disk
        with contextlib.suppress(OSError):  # of a disk that has become read-only
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)
        raise


def remedy(error: OSError) -> str:
    """Return the advice for an error of the disk."""
    if error.errno in FULL:
        return "make room"
    if error.errno in FORBIDDEN:
        return "make it writable"
    return "repair the disk or the connection to it"
