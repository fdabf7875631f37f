"""The palette of all drawings: each kind of operation has one colour, wherever it is drawn.

Okabe & Ito 2008, "Color universal design": distinguishable with colour blindness.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from zlib import crc32

from spaces.architecture.labels import RESERVED

BLUE, SKY, GREEN, YELLOW = "#0072B2", "#56B4E9", "#009E73", "#F0E442"
ORANGE, VERMILION, PINK, BLACK = "#E69F00", "#D55E00", "#CC79A7", "#000000"
LAVENDER, GREY = "#B8A1E3", "#BBBBBB"
INK = "#333333"
"""Of text and lines."""

FILLS = (SKY, ORANGE, GREEN, YELLOW, PINK, VERMILION, LAVENDER, GREY)
"""Fills of boxes, on all of which black text is readable."""

FIRST_CRC = 1196
"""Start of the checksum, chosen so that the kinds of nearly all built-in spaces differ in fill."""

DIGEST = re.compile(r" #[0-9a-f]+$")
KIND = re.compile(r"[^\s(]+")


def shown(label: str) -> str:
    """Return a label without the digest that distinguishes equal names: 'conv #8d2ed1' is 'conv'.

    Spaces found by running a constructor (`spaces.DefineByRun`) end labels in such a digest.
    """
    return DIGEST.sub("", label)


def kind(label: str) -> str:
    """Return the kind of an operation, its first word: 'conv3x3 64 /2 relu' is 'conv3x3'."""
    found = KIND.match(shown(label))
    return found[0] if found else label


def fills(labels: Iterable[str]) -> dict[str, str]:
    """Return the fill of each label that is an operation, equal for operations of one kind.

    The fill depends on the kind alone. Only where two kinds of one drawing have the same fill,
    the second takes the next free one.
    """
    operations = sorted({*labels} - RESERVED)
    of_kind: dict[str, str] = {}
    for each in sorted({kind(label) for label in operations}):
        first = crc32(each.encode(), FIRST_CRC) % len(FILLS)
        order = FILLS[first:] + FILLS[:first]
        taken = of_kind.values()
        of_kind[each] = next((fill for fill in order if fill not in taken), order[0])
    return {label: of_kind[kind(label)] for label in operations}
