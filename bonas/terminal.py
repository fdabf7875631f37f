"""Output on terminals and pipes that cannot show every character."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console


def console(file: TextIO | None = None) -> Console:
    """Return a console that escapes the characters that its file cannot show.

    In an ASCII locale, 'ü' in the name of a search would otherwise end the search.

    Args:
        file: to write to; by default standard output.
    """
    from rich.console import Console

    return Console(file=cast(TextIO, _Escaping(file or sys.stdout)))


def escape_unencodable() -> None:
    """Let standard output and standard error escape the characters that they cannot show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Escaping:
    """A stream that escapes what the encoding of another stream lacks."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write `text`, escaped where the encoding of the stream lacks a character."""
        encoding = self._stream.encoding or "utf-8"
        return self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
