from __future__ import annotations

from pathlib import Path

import pytest

from bonas.cli.main import main
from bonas.runners.in_process import InProcess
from tests.bonas.runners.fakes import run
from tests.faults.searches import plain, searching


def test_a_page_about_a_search_that_is_held_by_another_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with searching(tmp_path / "search", plain) as made:
        run(made, InProcess(), evaluations=3)
        assert main(["report", str(tmp_path / "search")]) == 0
    page = tmp_path / "search" / "report.html"
    assert capsys.readouterr().out == f"{page}\n"
    assert "<html" in page.read_text(encoding="utf-8")
    assert main(["report", str(tmp_path / "search"), "--page", str(tmp_path / "other.html")]) == 0
    assert (tmp_path / "other.html").read_bytes() == page.read_bytes()


def test_a_page_that_cannot_be_written_is_one_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with searching(tmp_path, plain) as made:
        run(made, InProcess(), evaluations=1)
    page = tmp_path / "missing" / "page.html"
    assert main(["report", str(tmp_path), "--page", str(page)]) == 1
    error = capsys.readouterr().err
    assert error.startswith("bonas: the page cannot be written: ")
    assert "missing" in error
