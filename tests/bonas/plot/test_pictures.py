from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.bonas.plot import pictures
from tests.bonas.plot.pictures import FOLDER, TOLERANCE, check, distance, paper, read

NAMES = sorted(file.name for file in FOLDER.glob("*.png"))


def test_pictures_are_small() -> None:
    assert NAMES
    assert all((FOLDER / name).stat().st_size < 30_000 for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_no_picture_passes_for_another_one(name: str) -> None:
    mine = read(FOLDER / name)
    assert distance(mine, mine) == 0
    others = [read(FOLDER / other) for other in NAMES if other != name]
    assert min(distance(mine, other) for other in others) > TOLERANCE


def test_a_change_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "FOLDER", tmp_path)
    ax = paper()
    ax.plot([1, 2, 3])
    with pytest.raises(AssertionError, match="was missing: look at it"):
        check(ax, "mine")
    check(ax, "mine")
    ax.plot([3, 2, 1], linewidth=3)
    with pytest.raises(AssertionError, match="mine differs by"):
        check(ax, "mine")


def test_a_letter_drawn_a_little_otherwise_is_no_change() -> None:
    picture = np.ones((64, 64, 3))
    picture[10:20, 10:14] = 0
    moved = np.roll(picture, 1, axis=1)
    assert distance(picture, moved) < TOLERANCE
