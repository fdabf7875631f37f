"""Caps on what one evaluation may add to a history, whatever its objective says."""

from __future__ import annotations

from typing import Any

MAX_ERROR_CHARACTERS = 16 * 1024
"""The length of an error text: beyond it the middle is left out."""

MAX_CURVE_POINTS = 1000
"""The points of a learning curve: beyond it evenly spaced ones are kept."""

_NOTE_CHARACTERS = 100


def shortened(text: str) -> str:
    """`text` without its middle where it is too long: a traceback tells most at its two ends."""
    if len(text) <= MAX_ERROR_CHARACTERS:
        return text
    end = (MAX_ERROR_CHARACTERS - _NOTE_CHARACTERS) // 2
    note = f"\n[... {len(text) - 2 * end} characters are left out here ...]\n"
    return text[:end] + note + text[-end:]


def thinned(curve: Any) -> Any:
    """Return evenly spaced points of a curve that has too many, first and last included.

    An objective may leave anything as its curve; what is no tuple or list is returned as it is.
    """
    if not isinstance(curve, tuple | list) or len(curve) <= MAX_CURVE_POINTS:
        return curve
    last, steps = len(curve) - 1, MAX_CURVE_POINTS - 1
    return tuple(curve[index * last // steps] for index in range(MAX_CURVE_POINTS))
