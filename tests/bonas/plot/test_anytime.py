from __future__ import annotations

from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bonas.analysis.trajectory import LABELS
from bonas.plot import anytime
from fidelity.history.history import History
from tests.bonas.analysis.test_trajectory import plain
from tests.bonas.plot.pictures import check, paper
from tests.bonas.plot.searches import TABLE, full, hyperband


def test_the_picture_of_real_searches() -> None:
    histories = {
        "random": [full(seed) for seed in range(4)],
        "random × Hyperband": [hyperband(seed) for seed in range(4)],
    }
    ax = anytime(histories, paper(), label="regret (fraction)", log=True, regret=TABLE.regret)
    check(ax, "anytime")


def test_the_picture_of_a_zero_on_a_logarithmic_axis() -> None:
    histories = {"one": [plain(3, 0.4, 0), plain(2, 0.3, 0)], "two": plain(1, 0.02, 0.02, 0.005)}
    ax = anytime(histories, paper(), clock="evaluations", log=True)
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels[0] == "0"
    check(ax, "anytime_zero")


def test_it_is_exported_as_vectors() -> None:
    written = BytesIO()
    anytime({"mine": [plain(5, 4), plain(3)]}).figure.savefig(written, format="pdf")
    assert written.getvalue().startswith(b"%PDF")


def test_both_axes_may_be_logarithmic() -> None:
    ax = anytime({"mine": plain(5, 4, 3, 2)}, log=True, log_clock=True)
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")


def test_it_draws_the_trajectory_on_the_axes_that_it_is_given() -> None:
    _, ax = plt.subplots()
    assert anytime({"mine": plain(0.5, 0.7, 0.2)}, ax) is ax
    (line,) = ax.lines
    assert line.get_xdata().tolist() == [1, 3]  # type: ignore[union-attr]
    assert line.get_ydata().tolist() == [0.5, 0.2]  # type: ignore[union-attr]
    assert line.get_drawstyle() == "steps-post"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["mine"]
    assert ax.get_xlabel() == LABELS["epochs"]


def test_several_runs_are_a_median_in_a_band() -> None:
    runs = [plain(3, 1), plain(5, 3), plain(7, 5)]
    ax = anytime({"three": runs, "one": plain(4)}, clock="evaluations", label="error")
    assert [line.get_ydata().tolist() for line in ax.lines] == [[5, 3], [4]]  # type: ignore[union-attr]
    (band,) = ax.collections
    vertices = band.get_paths()[0].vertices
    assert np.min(vertices[:, 1]) == 2  # type: ignore[index]
    assert np.max(vertices[:, 1]) == 6  # type: ignore[index]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("evaluations", "error")


def test_the_band_may_be_another_one() -> None:
    runs = [plain(3, 1), plain(5, 3), plain(7, 5)]
    (band,) = anytime({"three": runs}, band=(0.0, 1.0)).collections
    vertices = band.get_paths()[0].vertices
    assert (np.min(vertices[:, 1]), np.max(vertices[:, 1])) == (1, 7)  # type: ignore[index]


def test_28_series_differ_also_without_colour() -> None:
    ax = anytime({f"{i}": plain(i, i - 1) for i in range(28)})
    looks = {(line.get_color(), line.get_linestyle()) for line in ax.lines}
    assert len(looks) == 28
    grey = {(line.get_linestyle(), line.get_marker()) for line in ax.lines}
    assert len(grey) == 28


@pytest.mark.parametrize("histories", [{}, {"failed": plain(None)}, {"none": []}])
@pytest.mark.parametrize("log", [False, True])
def test_nothing_to_draw_is_empty_axes(histories: dict[str, History], log: bool) -> None:
    ax = anytime(histories, log=log)
    assert not ax.lines
    assert ax.get_legend() is None


@pytest.mark.parametrize("costs", [(0.6, 0.2), (0.21, 0.2), (1.0, 1e-4), (0.4, 0.03, 0.0)])
def test_logarithmic_ticks_are_plain_numbers(costs: tuple[float, ...]) -> None:
    ax = anytime({"mine": plain(*costs)}, log=True)
    ax.figure.canvas.draw()
    low, high = ax.get_ylim()
    ticks = zip(ax.get_yticks(), ax.get_yticklabels(), strict=True)
    labels = [label.get_text() for tick, label in ticks if low <= tick <= high]
    assert ax.get_yscale() == ("log" if min(costs) else "symlog")
    assert 2 <= len(labels) <= 16
    assert all(float(label) >= 0 for label in labels)
    assert not any(label.get_text() for label in ax.get_yticklabels(minor=True))
