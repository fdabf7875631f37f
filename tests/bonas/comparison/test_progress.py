from __future__ import annotations

import io
import itertools
import re
from typing import Any

import pytest

from bonas.comparison import Setup, compare
from bonas.comparison.progress import Display, Silent
from bonas.strategies import RandomSearch
from tests.bonas.comparison.setups import SETUPS, TABLE


def small(**changed: Any) -> Any:
    return compare(SETUPS, TABLE, **({"seeds": range(2), "evaluations": 6} | changed))


class Recorded(Silent):
    def __init__(self) -> None:
        self.updates: list[tuple[int, float, int]] = []
        self.opened: list[bool] = []

    def __enter__(self) -> Recorded:
        self.opened.append(True)
        return self

    def __exit__(self, *exception: object) -> None:
        self.opened.append(False)

    def update(self, finished: int, done: float, total: int) -> None:
        self.updates.append((finished, done, total))


@pytest.mark.parametrize("jobs", [1, 2])
def test_the_progress_grows_to_the_number_of_runs(jobs: int) -> None:
    recorded = Recorded()
    small(progress=recorded, jobs=jobs)
    assert recorded.opened == [True, False]
    assert recorded.updates[0] == (0, 0.0, 6)
    assert recorded.updates[-1] == (6, 6.0, 6)
    assert all(a[0] <= b[0] and a[1] <= b[1] for a, b in itertools.pairwise(recorded.updates))


def test_a_run_reports_its_own_progress() -> None:
    recorded = Recorded()
    compare({"one": Setup(RandomSearch())}, TABLE, seeds=[0], evaluations=8, progress=recorded)
    within = [done for finished, done, _ in recorded.updates if finished == 0]
    assert {1 / 8, 1 / 4, 1 / 2} <= set(within)
    assert max(within) < 1


@pytest.mark.parametrize("limits", [{"epochs": 60}, {"seconds": 5}])
def test_every_limit_gives_a_fraction(limits: dict[str, float]) -> None:
    recorded = Recorded()
    small(progress=recorded, evaluations=None, **limits)
    assert any(done != int(done) for _, done, _ in recorded.updates)


def test_runs_of_an_earlier_comparison_are_finished(tmp_path: Any) -> None:
    small(directory=tmp_path, seeds=[0], progress=False)
    recorded = Recorded()
    small(directory=tmp_path, progress=recorded)
    assert recorded.updates[0] == (3, 3.0, 6)
    small(directory=tmp_path, progress=recorded)
    assert recorded.updates[-1] == (6, 6.0, 6)


def test_plain_lines_on_standard_error_without_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    small()
    printed = capsys.readouterr()
    assert printed.out == ""
    first, *_, last = printed.err.splitlines()
    assert first == "compare: 0 of 6 runs, 0:00:00 elapsed"
    assert re.fullmatch(r"compare: 6 of 6 runs, 0:\d\d:\d\d elapsed", last)


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    small(progress=False)
    assert capsys.readouterr() == ("", "")


def test_the_remaining_time_is_in_proportion_to_what_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = [0.0]
    monkeypatch.setattr("bonas.comparison.progress.time.monotonic", lambda: clock[0])
    file = io.StringIO()
    with Display(interval=10.0, file=file) as shown:
        for now, finished, done in [(0, 4, 4.0), (5, 4, 4.5), (100, 5, 5.5), (300, 10, 10.0)]:
            clock[0] = now
            shown.update(finished, done, 10)
    assert file.getvalue().splitlines() == [
        "compare: 4 of 10 runs, 0:00:00 elapsed",
        "compare: 5 of 10 runs, about 0:05:00 left, 0:01:40 elapsed",
        "compare: 10 of 10 runs, 0:05:00 elapsed",
    ]


def test_a_terminal_has_a_bar_with_the_remaining_time() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    file = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TERM", "xterm")
        with Display(file=file) as shown:
            shown.update(0, 0.0, 4)
            shown.update(1, 1.5, 4)
    assert "1 of 4 runs, about 0:00:0" in file.getvalue()
    assert "\x1b[" in file.getvalue()


def test_a_notebook_has_one_output(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs: list[str] = []

    class Handle:
        def update(self, page: Any) -> None:
            outputs.append(page.data)

    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda page, display_id: Handle())
    with Display() as shown:
        shown.update(0, 0.0, 2)
        shown.update(2, 2.0, 2)
    assert outputs == [
        "<p>compare: 0 of 2 runs, 0:00:00 elapsed</p>",
        "<p>compare: 2 of 2 runs, 0:00:00 elapsed</p>",
    ]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("progress", [None, 3, Recorded, "bar"])
def test_anything_else_is_refused(progress: Any) -> None:
    with pytest.raises(TypeError, match="True, False or an object with `update"):
        small(progress=progress)
