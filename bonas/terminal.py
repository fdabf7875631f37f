"""Output on terminals and pipes that cannot show every character."""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

if TYPE_CHECKING:
    from rich.console import Console


def console() -> Console:
    """A console on standard output, which escapes characters that it cannot show.

    In an ASCII locale 'ü' in the name of a search would otherwise end the search.
    """
    from rich.console import Console

    return Console(file=cast(TextIO, _Escaping(sys.stdout)))


def escape_unencodable() -> None:
    """Let standard output and standard error escape what they cannot show."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class _Escaping:
    """A stream with `write`; everything else is that of the stream below."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Writes `text`, escaped where the encoding of the stream lacks a character."""
        encoding = self._stream.encoding or "utf-8"
        return self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
