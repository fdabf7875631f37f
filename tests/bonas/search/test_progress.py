from __future__ import annotations

import io

import pytest
from rich.console import Console

from bonas.search.progress import ROWS, Progress, Silent
from bonas.search.stop import Stop
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.schedules.schedule import Promote, Start
from tests.fidelity.histories import end, space, start

LIMITS = Stop(evaluations=20, epochs=30)


def history() -> History:
    """A success, a crash, a promotion and a reused result."""
    made = History(space())
    end(made, start(made, Start(1.0)), 0.25)
    end(made, start(made, Start(1.0)), None)
    end(made, start(made, Promote(made.trials[0], 3.0)), 0.125)
    made.add_evaluation(Evaluation(start(made, Start(1.0), "key0"), 0.25, reused=0))
    return made


def plain(interval: float = 0.0) -> tuple[Progress, io.StringIO]:
    file = io.StringIO()
    return Progress("mine", interval, Console(file=file, force_terminal=False, width=200)), file


def test_plain_lines_say_what_was_spent_and_found() -> None:
    progress, file = plain()
    with progress:
        progress.update(History(space()), LIMITS)
        progress.update(history(), LIMITS)
    assert file.getvalue().splitlines() == [
        "mine: 0 evaluations of 20, 0 epochs of 30, no success yet",
        "mine: 4 evaluations of 20, 4 epochs of 30, best cost 0.125 (trial 2, budget 3)",
    ]


def test_plain_lines_have_no_control_characters_and_are_not_repeated() -> None:
    progress, file = plain()
    with progress:
        for _ in range(3):
            progress.update(history(), Stop(seconds=5))
    assert "\x1b" not in file.getvalue()
    assert file.getvalue().count("\n") == 1
    assert "4 evaluations, 4 epochs, " in file.getvalue()


def test_plain_lines_come_at_intervals_and_the_last_one_always() -> None:
    progress, file = plain(interval=3600)
    growing = History(space())
    with progress:
        for _ in range(5):
            progress.update(growing, LIMITS)
            end(growing, start(growing, Start(1.0)), 0.5)
        progress.update(growing, LIMITS)
    lines = file.getvalue().splitlines()
    assert [line.split(" of")[0] for line in lines] == [
        "mine: 0 evaluations",
        "mine: 5 evaluations",
    ]


def test_the_last_line_comes_when_a_run_is_interrupted_too() -> None:
    progress, file = plain(interval=3600)
    growing = History(space())

    def interrupted() -> None:
        with progress:
            progress.update(growing, LIMITS)
            end(growing, start(growing, Start(1.0)), 0.5)
            progress.update(growing, LIMITS)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert "1 evaluations" in file.getvalue().splitlines()[-1]


def terminal() -> tuple[Progress, io.StringIO]:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=100, color_system=None)
    return Progress("mine", console=console), file


def test_a_terminal_gets_a_table_of_the_last_evaluations() -> None:
    progress, file = terminal()
    with progress:
        progress.update(history(), LIMITS)
    shown = file.getvalue()
    last = shown[shown.rindex("mine") :]
    cells = [
        [c.strip() for c in line.split("│")[1:-1]] for line in last.splitlines() if "│" in line
    ]
    assert cells == [
        ["0", "", "1", "0.25", "0.00", "success"],
        ["1", "", "1", "-", "0.00", "crashed"],
        ["2", "0", "3", "0.125", "0.00", "success"],
        ["3", "", "1", "0.25", "0.00", "success, known from trial 0"],
    ]
    assert "best cost 0.125" in last


def test_a_terminal_is_left_as_it_was() -> None:
    progress, file = terminal()
    with pytest.raises(KeyboardInterrupt), progress:
        raise KeyboardInterrupt
    hidden, shown = "\x1b[?25l", "\x1b[?25h"
    assert file.getvalue().count(hidden) == file.getvalue().count(shown) == 1
    assert file.getvalue().rindex(shown) > file.getvalue().rindex(hidden)


def test_the_table_is_short_however_long_the_history() -> None:
    long = History(space())
    for _ in range(50):
        end(long, start(long, Start(1.0)), 0.5)
    progress, file = terminal()
    with progress:
        progress.update(long, LIMITS)
    shown = file.getvalue()
    assert shown[shown.rindex("mine") :].count("success") == ROWS


def test_silence_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Silent() as silent:
        silent.update(history(), LIMITS)
    assert capsys.readouterr() == ("", "")
