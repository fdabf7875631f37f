"""Caps on the size of one evaluation in a history."""

from __future__ import annotations

from typing import Any

MAX_ERROR_CHARACTERS = 16 * 1024
"""The longest error text; a longer one loses its middle."""

MAX_CURVE_POINTS = 1000
"""The most points of a learning curve; of more, evenly spaced ones are kept."""

_NOTE_CHARACTERS = 100


def shortened(text: str) -> str:
    """Return an error text that any log can show, without its middle where it is too long.

    A traceback says most at its two ends. Half a character, as in the text of a foreign error,
    becomes an escape.
    """
    text = text.encode(errors="backslashreplace").decode()
    if len(text) <= MAX_ERROR_CHARACTERS:
        return text
    end = (MAX_ERROR_CHARACTERS - _NOTE_CHARACTERS) // 2
    note = f"\n[... {len(text) - 2 * end} characters are left out here ...]\n"
    return text[:end] + note + text[-end:]


def thinned(curve: Any) -> Any:
    """Return evenly spaced points of a curve with too many, the first and the last included.

    A curve that is not a tuple or list (an objective may set anything) is returned unchanged.
    """
    if not isinstance(curve, tuple | list) or len(curve) <= MAX_CURVE_POINTS:
        return curve
    last, steps = len(curve) - 1, MAX_CURVE_POINTS - 1
    return tuple(curve[index * last // steps] for index in range(MAX_CURVE_POINTS))
