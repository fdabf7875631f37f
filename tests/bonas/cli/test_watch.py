from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest
from rich.console import Console

from bonas.cli.main import main
from bonas.cli.watch import watch
from bonas.runners.in_process import InProcess
from bonas.search.search import Search
from tests.bonas.cli.test_status import snapshot
from tests.bonas.runners.fakes import run
from tests.bonas.runners.worker_objectives import eventually
from tests.faults.searches import plain, searching


def searched(directory: Path, evaluations: int) -> Search:
    made = searching(directory, plain)
    run(made, InProcess(), evaluations=evaluations)
    return made


def test_a_search_is_watched_until_it_ends(tmp_path: Path) -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=120, color_system=None)
    made = searched(tmp_path, 2)
    thread = threading.Thread(target=watch, args=(tmp_path, console, 0.02))
    thread.start()
    eventually(lambda: "2 evaluations of 2 trials" in file.getvalue(), "the first look")
    run(made, InProcess(), evaluations=3)
    eventually(lambda: "3 evaluations of 3 trials" in file.getvalue(), "the next look")
    assert thread.is_alive()
    made.close()
    thread.join(60)
    assert not thread.is_alive()
    assert "no process is writing to it" in file.getvalue()


def test_a_search_that_has_ended_is_shown_once_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    searched(tmp_path, 2).close()
    before = snapshot(tmp_path)
    assert main(["watch", str(tmp_path)]) == 0
    assert snapshot(tmp_path) == before
    assert capsys.readouterr().out.count("2 evaluations of 2 trials") == 1


def test_ctrl_c_ends_the_watching_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(seconds: float) -> None:
        raise KeyboardInterrupt

    with searched(tmp_path, 2) as made:
        monkeypatch.setattr("bonas.cli.watch.time.sleep", interrupted)
        assert main(["watch", str(tmp_path)]) == 0
        monkeypatch.undo()
        assert len(run(made, InProcess(), evaluations=3)) == 3
    assert "interrupted" not in capsys.readouterr().err
