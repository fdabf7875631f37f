from __future__ import annotations

from io import BytesIO

import matplotlib.pyplot as plt
import numpy as np
import pytest

from bonas.analysis.trajectory import LABELS
from bonas.plot import anytime, anytime_panels
from bonas.plot.logarithmic import logarithmic_clock
from bonas.plot.style import BAND_EDGE
from fidelity.history.history import History
from spaces.display.palette import GREY
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


def test_names_stand_at_the_line_ends_where_there_is_room() -> None:
    apart = {"first": [plain(5, 4), plain(5, 4.2)], "second": plain(3, 2), "third": plain(1, 0.5)}
    ax = anytime(apart, clock="evaluations")
    assert [text.get_text() for text in ax.texts] == ["first", "second", "third"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "band: 25% to 75% of seeds"
    ]
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    assert all(box.x1 <= ax.figure.bbox.x1 for box in boxes)


@pytest.mark.parametrize(
    "crowded",
    [
        {"one": plain(5, 4), "two": plain(6, 4)},  # equal ends
        {"one": plain(5, 4, 3, 2, 1), "two": plain(9)},  # one ends far earlier
        {"a name that is as long as half of the axes": plain(5, 4), "two": plain(3, 1)},
        {f"{number}": plain(9, number) for number in range(8)},
    ],
)
def test_names_are_in_a_legend_where_there_is_no_room(crowded: dict[str, History]) -> None:
    ax = anytime(crowded, clock="evaluations")
    assert not ax.texts
    assert [text.get_text() for text in ax.get_legend().get_texts()] == list(crowded)


def test_a_figure_that_makes_no_room_has_a_legend() -> None:
    _, ax = plt.subplots()
    anytime({"one": plain(5, 4), "two": plain(3, 1)}, ax, clock="evaluations")
    assert not ax.texts
    assert ax.get_legend() is not None


def test_lines_that_are_added_later_are_labelled_again() -> None:
    ax = anytime({"one": plain(5, 4), "two": plain(3, 1)}, clock="evaluations")
    anytime({"three": plain(9, 8)}, ax, clock="evaluations")
    assert [text.get_text() for text in ax.texts] == ["one", "two", "three"]


def test_overlapping_bands_keep_their_edges() -> None:
    ax = anytime({name: [plain(9, low), plain(8, 1)] for name, low in {"a": 5, "b": 4}.items()})
    for band in ax.collections:
        assert band.get_linewidth() == [BAND_EDGE]
        assert band.get_facecolor()[0][3] < 0.15 < band.get_edgecolor()[0][3]


def test_evaluations_have_ticks_at_whole_numbers() -> None:
    ax = anytime({"mine": plain(5, 4, 3)}, clock="evaluations")
    ax.figure.canvas.draw()
    assert all(float(tick).is_integer() for tick in ax.get_xticks())


def test_each_panel_has_one_search_in_colour() -> None:
    runs = {"a": [plain(5, 4), plain(6, 2)], "b": plain(3, 2), "failed": plain(None), "c": plain(9)}
    panels = anytime_panels(runs, columns=2, clock="evaluations", label="error")
    assert [ax.get_title() for ax in panels] == ["a", "b", "c"]
    for ax in panels:
        assert len(ax.lines) == 3
        assert [line.get_color() for line in ax.lines].count(GREY) == 2
    assert [len(ax.collections) for ax in panels] == [1, 0, 0]
    assert len({ax.get_ylim() for ax in panels}) == 1
    assert len(panels[0].figure.axes) == 3
    check(panels[0], "anytime_panels")


def test_panels_share_a_logarithmic_axis_if_only_one_has_a_zero() -> None:
    runs = {"a": plain(0.5, 0.1), "b": [plain(0.5, 0.2), plain(0.5, 0.2), plain(0.5, 0.0)]}
    panels = anytime_panels(runs, clock="evaluations", log=True, band=(0.0, 1.0))
    assert [ax.get_yscale() for ax in panels] == ["symlog", "symlog"]
    low, high = panels[0].get_ylim()
    assert -0.1 < low < 0 < 0.5 <= high < 1


@pytest.mark.parametrize("histories", [{}, {"failed": plain(None)}])
def test_without_a_success_there_is_one_empty_panel(histories: dict[str, History]) -> None:
    (ax,) = anytime_panels(histories, log=True)
    assert not ax.lines
    assert "yet" in ax.texts[0].get_text()


def test_panels_need_a_column() -> None:
    with pytest.raises(ValueError, match="columns is 0: give the number of panels"):
        anytime_panels({"mine": plain(1)}, columns=0)


@pytest.mark.parametrize("times", [(1, 3), (1, 40), (2, 900), (1, 200_000)])
def test_logarithmic_clocks_have_several_plain_numbers(times: tuple[int, int]) -> None:
    ax = plt.subplots()[1]
    ax.plot(times, [1, 2])
    logarithmic_clock(ax, times[0])
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
    labels = [label.get_text() for tick, label in ticks if low <= tick <= high]
    assert 3 <= len(labels) <= 12
    assert all(float(label) > 0 for label in labels)


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
