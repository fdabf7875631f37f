"""The page as text, and in a browser if there is one."""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from ConfigSpace import Configuration

from bonas.reports.report import report
from bonas.reports.style import SCRIPT, STYLE
from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies.random_search import RandomSearch
from fidelity.history.goal import Constraint, Goal
from fidelity.history.history import History
from fidelity.history.journal import Journal, JournalError
from fidelity.history.records import recommendation_record
from fidelity.history.trial import Evaluation, Status
from fidelity.schedules.schedule import Start
from spaces.space import Space
from tests.bonas.interop.example import SPACE, history
from tests.bonas.spaces import cells, cost
from tests.fidelity.histories import end, space, start

EVIL = "<script>alert('x')</script>"
CHROMIUM = shutil.which("chromium")
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--enable-logging=stderr", "--dump-dom",
]  # fmt: skip


def test_a_full_disk_leaves_the_page_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    page = tmp_path / "report.html"
    page.write_text("the last one", encoding="utf-8")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device.*report.html"):
        report(history(), page)
    assert page.read_text(encoding="utf-8") == "the last one"
    assert list(tmp_path.iterdir()) == [page]


def failures() -> History:
    made = History(space())
    for _ in range(2):
        trial = start(made, Start(1.0))
        made.add_evaluation(Evaluation(trial, status=Status.CRASHED, error=f"ValueError: {EVIL}"))
    return made


def test_metrics_by_class_are_rounded_like_others(tmp_path: Path) -> None:
    made = History(space())
    trial = start(made, Start(1.0))
    made.add_evaluation(Evaluation(trial, 0.5, metrics={"recalls": [1 / 3, 2 / 3], "auroc": 0.1}))
    assert "0.333333, 0.666667" in written(made, tmp_path)


def written(source: Search | History | Path, directory: Path) -> str:
    return report(source, directory / "report.html").read_text(encoding="utf-8")


def test_a_search_and_its_directory_say_what_was_chosen(tmp_path: Path) -> None:
    made = Search(cells(), cost, strategy=RandomSearch(), directory=tmp_path / "run", seed=7)
    with made:
        made.run(evaluations=3, progress=Silent())
        live = report(made, tmp_path / "live.html").read_text(encoding="utf-8")
    for page in (live, written(tmp_path / "run", tmp_path)):
        assert "<title>Search report: CellSpace × RandomSearch × FullFidelity</title>" in page
        assert "<td>seed of the search</td><td>7</td>" in page
        assert page.count("<tr") - page.count("<tr>") >= 1  # the incumbent's row is marked
    assert "<td>objective</td><td>cost</td>" in live
    assert "Architecture of the best network" in live
    drawn = report(tmp_path / "run", tmp_path / "drawn.html", space=cells()).read_text(
        encoding="utf-8"
    )
    assert "Architecture of the best network" in drawn


@dataclass(frozen=True)
class SecondBest:
    """Proposes at random and recommends the second lowest cost."""

    def propose(self, space: Space, history: History, rng: np.random.Generator) -> Configuration:
        return RandomSearch().propose(space, history, rng)

    def recommend(self, space: Space, history: History) -> Evaluation:
        return sorted(history.evaluations, key=lambda e: e.cost)[1]


def best(page: str) -> str:
    """Return the trial number of the best network on a page."""
    found = re.search("Best network.*?<td>trial</td><td>([0-9]+)</td>", page, re.DOTALL)
    assert found
    return found[1]


def test_a_search_and_its_directory_name_the_same_best_network(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with Search(cells(), cost, strategy=SecondBest(), directory=run) as made:
        made.run(evaluations=5, progress=Silent())
        recommended, incumbent = made.incumbent, made.history.incumbent
        live = written(made, tmp_path)
    assert recommended
    assert incumbent
    assert recommended is not incumbent
    with Journal(run) as journal:
        journal.append(recommendation_record(recommended.trial.number), durable=True)
    for page in (live, written(run, tmp_path)):
        assert best(page) == str(recommended.trial.number)
        assert f"of trial {incumbent.trial.number}." in page
    with Search(cells(), cost, strategy=RandomSearch(), directory=run) as resumed:
        resumed.run(evaluations=6, progress=Silent())
        assert resumed.incumbent
        assert best(written(run, tmp_path)) == str(resumed.incumbent.trial.number)


@pytest.mark.parametrize("make", [history, failures, lambda: History(SPACE.configuration_space)])
def test_every_history_makes_a_page_that_names_no_address(make: object, tmp_path: Path) -> None:
    assert callable(make)
    page = written(make(), tmp_path)
    assert "default-src 'none'" in page
    assert not re.search(r"(https?:)?//\w", page)
    assert "/home/me" not in page  # of the traceback
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_errors_are_escaped_and_told_once(tmp_path: Path) -> None:
    page = written(failures(), tmp_path)
    assert EVIL not in page
    assert "crashed</b>, trials 0, 1: ValueError: &lt;script&gt;" in page


def test_a_directory_without_a_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="there is no history"):
        report(tmp_path, tmp_path / "report.html")


def browse(page: Path, profile: Path) -> tuple[str, str]:
    """Return the page after its script has run, and the messages of the browser."""
    assert CHROMIUM is not None
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, encoding="utf-8")
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


@pytest.mark.skipif(CHROMIUM is None, reason="Debian's package chromium is not installed")
def test_a_browser_sorts_it_and_complains_of_nothing(tmp_path: Path) -> None:
    made = History(space())
    for value in (0.5, 10.0, None, 0.25):
        end(made, start(made, Start(1.0)), value)
    page = report(made, tmp_path / "report.html")
    click = "<script>document.querySelectorAll('.trials button')[3].click()</script></body>"
    page.write_text(page.read_text(encoding="utf-8").replace("</body>", click), encoding="utf-8")
    dom, said = browse(page, tmp_path / "profile")
    assert said == ""
    rows = dom[dom.index("<tbody>", dom.index('class="trials"')) :]
    assert re.findall(r"<tr[^>]*><td[^>]*>(\d+)</td>", rows)[:4] == ["3", "0", "1", "2"]


@pytest.mark.skipif(CHROMIUM is None, reason="Debian's package chromium is not installed")
def test_a_browser_would_say_so_if_something_were_fetched(tmp_path: Path) -> None:
    page = report(failures(), tmp_path / "report.html")
    image = '<img src="http://localhost:9/x.png"></body>'
    page.write_text(page.read_text(encoding="utf-8").replace("</body>", image), encoding="utf-8")
    _, said = browse(page, tmp_path / "profile")
    assert "Content Security Policy" in said


def limited() -> History:
    """Two networks that were trained, one of which is too large, and three that were refused."""
    goal = Goal(("cost",), (Constraint("size", at_most=10), Constraint("latency", at_most=0.5)))
    made = History(space(), goal=goal)
    for size in (8.0, 20.0):
        trial = start(made, Start(1.0))
        made.add_evaluation(Evaluation(trial, 0.5, metrics={"size": size, "latency": 0.1}))
    for key in ("a", "b", "c"):
        made.refuse(key)
    return made


def test_a_report_counts_refused_networks_and_lists_constraints(tmp_path: Path) -> None:
    page = written(limited(), tmp_path)
    assert "<b>2 trained, 3 refused</b><span>distinct networks</span>" in page
    assert "<td>constraint</td><td>size &lt;= 10, violated by 1 of 2 evaluations</td>" in page
    assert "<td>constraint</td><td>latency &lt;= 0.5, violated by 0 of 2 evaluations</td>" in page
    assert "<td>refused</td><td>3 networks" in page
    assert "<b>1 trained</b>" in written(unlimited(), tmp_path)


def unlimited() -> History:
    made = History(space())
    end(made, start(made, Start(1.0)), 0.5)
    return made


def test_the_configuration_is_whole_and_a_narrow_page_says_that_it_scrolls() -> None:
    last = re.search(r"\.trials td:last-child \{([^}]*)\}", STYLE)
    assert last
    assert "white-space: normal" in last[1]
    assert re.search(r"max-width: 34rem\).*?\.sideways \{ display: block; \}", STYLE, re.DOTALL)


DOM = """
const listeners = {};
const row = (...cells) => ({ hidden: false, cells: cells.map((c) => ({ textContent: c })) });
const rows = [row('3', '0', 'crashed'), row('30', '1', 'ok CONV'), row('4', '2', 'ok')];
const box = { value: '', addEventListener: (name, f) => { listeners[name] = f; } };
const shown = { textContent: '' };
const document = {
  querySelectorAll: (which) => (which === '.trials th' ? [] : rows),
  querySelector: (which) => (which === '.search' ? box : shown),
};
"""
TYPED = """
for (const text of ['', 'conv', ' ok  30', '30', 'nothing']) {
  box.value = text;
  listeners.input();
  console.log(shown.textContent, rows.map((r) => (r.hidden ? '-' : '+')).join(''));
}
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_the_search_box_hides_the_other_trials() -> None:
    code = f"{DOM}(() => {{{SCRIPT}}})();{TYPED}"
    done = subprocess.run(
        ["node", "-e", code], capture_output=True, text=True, check=True, encoding="utf-8"
    )
    assert done.stdout.splitlines() == [
        "3 of 3 trials +++",
        "1 of 3 trials -+-",
        "1 of 3 trials -+-",
        "1 of 3 trials -+-",
        "0 of 3 trials ---",
    ]
