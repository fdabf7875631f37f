from __future__ import annotations

import errno
import logging
from pathlib import Path

import pytest
import torch
from ConfigSpace import Configuration

from bonas.search.checkpoint_store import CheckpointStore
from bonas.search.progress import Silent
from bonas.search.search import Search
from bonas.strategies import RandomSearch
from fidelity.checkpoint import CheckpointWarning
from fidelity.history.history import History
from fidelity.history.journal import JournalError
from fidelity.history.trial import Evaluation
from fidelity.objective import Context
from fidelity.schedules import AsynchronousHalving, FullFidelity
from fidelity.schedules.schedule import Promote, Start
from tests.bonas.search.test_search import run, search, told
from tests.bonas.spaces import cells, cost
from tests.fidelity.histories import end, space, start


def kept(directory: Path, history: History) -> CheckpointStore:
    return CheckpointStore(directory, history, FullFidelity(3.0))


def leave(directory: Path, *trials: int) -> list[Path]:
    paths = [directory / f"trial-{trial}.pt" for trial in trials]
    for path in paths:
        path.write_bytes(b"weights")
    return paths


def test_a_promotion_goes_on_from_its_parent_and_then_from_its_own(tmp_path: Path) -> None:
    history = History(space())
    end(history, first := start(history, Start(1.0)), 0.5)
    second = start(history, Promote(first, 3.0))
    (parent,) = leave(tmp_path, 0)
    checkpoints = kept(tmp_path, history)
    context = checkpoints.context(second)
    assert (context.checkpoint.source, context.resumed) == (parent, 1.0)
    assert not context.checkpoint.own
    (own,) = leave(tmp_path, 1)
    again = checkpoints.context(second)
    assert (again.checkpoint.source, again.resumed) == (own, 1.0)
    assert again.checkpoint.own


def test_a_parent_whose_checkpoint_is_gone_is_not_continued(tmp_path: Path) -> None:
    history = History(space())
    end(history, first := start(history, Start(1.0)), 0.5)
    context = kept(tmp_path, history).context(start(history, Promote(first, 3.0)))
    assert (context.checkpoint.source, context.resumed) == (None, 0.0)


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".pt":
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        original(path, missing_ok)

    original = Path.unlink
    monkeypatch.setattr(Path, "unlink", unlink)


REFUSED = r"checkpoints cannot be removed \(Read-only file system\): make it writable"


@pytest.mark.usefixtures("read_only")
def test_where_a_leftover_cannot_be_removed_a_search_says_so_and_releases_the_lock(
    tmp_path: Path,
) -> None:
    search(tmp_path).close()
    (tmp_path / "checkpoints").mkdir()
    (left,) = leave(tmp_path / "checkpoints", 7)
    for _ in range(2):
        with pytest.raises(JournalError, match=REFUSED):
            search(tmp_path)
    assert left.exists()


@pytest.mark.usefixtures("read_only")
def test_nor_does_a_failed_removal_lose_an_evaluation(tmp_path: Path) -> None:
    with search(tmp_path) as running:
        trial = running.ask()
        assert trial is not None
        (tmp_path / "checkpoints").mkdir()
        leave(tmp_path / "checkpoints", 7)
        with pytest.raises(JournalError, match=REFUSED):
            running.tell(trial, 1.0)
    assert len(History.load(tmp_path)) == 1


def test_what_an_earlier_epoch_left_is_not_continued(tmp_path: Path) -> None:
    history = History(space())
    first = start(history, Start(1.0))
    history.add_evaluation(Evaluation(first, cost=0.5, unsaved="No space left on device"))
    second = start(history, Promote(first, 3.0))
    (stale,) = leave(tmp_path, 0)
    checkpoints = kept(tmp_path, history)
    said = r"trial 1 trains from the beginning: .* of trial 0, .* \(No space left on device\)"
    with pytest.warns(CheckpointWarning, match=said):
        context = checkpoints.context(second)
    assert (context.checkpoint.source, context.resumed) == (None, 0.0)
    assert checkpoints.of(0) is None
    checkpoints.tidy()
    assert not stale.exists()


def test_an_objective_that_does_not_resume_gets_nothing(tmp_path: Path) -> None:
    history = History(space(), resumes=False)
    trial = start(history, Start(1.0))
    leave(tmp_path, 0)
    assert kept(tmp_path, history).context(trial).checkpoint.source is None


def test_what_no_history_knows_is_removed_at_once(tmp_path: Path) -> None:
    history = History(space())
    start(history, Start(1.0))
    known, unknown, later = leave(tmp_path, 0, 1, 12)
    kept(tmp_path, history)
    assert [path.exists() for path in (known, unknown, later)] == [True, False, False]


def test_what_is_pending_keeps_its_own_checkpoint(tmp_path: Path) -> None:
    history = History(space())
    for found in (0.5, 0.9, 0.8):
        end(history, start(history, Start(1.0)), found)
    start(history, Start(1.0))
    best, worse, last, own = leave(tmp_path, 0, 1, 2, 3)
    checkpoints = kept(tmp_path, history)
    checkpoints.tidy()
    assert [path.exists() for path in (best, worse, last, own)] == [True, False, True, True]
    assert checkpoints.of(0) == best
    assert checkpoints.of(1) is None


def paused(directory: Path, most_bytes: int | None) -> tuple[CheckpointStore, History, list[Path]]:
    """Nine evaluations, the first of them the best."""
    history = History(space())
    schedule = AsynchronousHalving(1, 9)
    for number in (1, 5, 3, 7, 9, 8, 2, 4, 6):
        end(history, start(history, Start(1.0)), float(number))
    paths = leave(directory, *range(9))
    return CheckpointStore(directory, history, schedule, most_bytes), history, paths


def test_above_the_cap_the_least_promising_go_first(tmp_path: Path) -> None:
    checkpoints, history, paths = paused(tmp_path, 5 * len(b"weights"))
    checkpoints.tidy()
    kept = {history.evaluations[n].cost for n, path in enumerate(paths) if path.exists()}
    assert kept == {1.0, 2.0, 3.0, 4.0, 6.0}  # 6.0 is the last one


def test_without_a_cap_or_below_it_all_are_kept(tmp_path: Path) -> None:
    for cap in (None, 9 * len(b"weights")):
        checkpoints, _, paths = paused(tmp_path, cap)
        checkpoints.tidy()
        assert all(path.exists() for path in paths)


def test_what_is_needed_now_is_kept_above_the_cap_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    checkpoints, history, paths = paused(tmp_path, 1)
    continued = start(history, Promote(history.trials[3], 3.0))
    (own,) = leave(tmp_path, continued.number)
    for _ in range(2):
        checkpoints.tidy()
    kept = [number for number, path in enumerate(paths) if path.exists()]
    assert kept == [0, 3, 8]  # the incumbent, the parent of what is pending, the last one
    assert own.exists()
    said = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert said == ["the checkpoints take 28 bytes, above their cap of 1, and all of them are "
                    "needed now"]  # fmt: skip


def test_a_failure_is_less_promising_than_any_success(tmp_path: Path) -> None:
    history = History(space())
    for found in (3.0, None, 2.0, 1.0):
        end(history, start(history, Start(1.0)), found)
    paths = leave(tmp_path, *range(4))
    cap = 3 * len(b"weights")
    CheckpointStore(tmp_path, history, AsynchronousHalving(1, 9), cap).tidy()
    assert [path.exists() for path in paths] == [True, False, True, True]


@pytest.mark.parametrize("cap", [0, -5])
def test_a_cap_that_none_can_be_is_refused_and_the_directory_stays_free(
    tmp_path: Path, cap: int
) -> None:
    with pytest.raises(ValueError, match="checkpoint_bytes is a positive number or None"):
        Search(cells(), cost, directory=tmp_path, checkpoint_bytes=cap)
    run(search(tmp_path), evaluations=1)


def test_a_search_stays_below_its_cap_and_trains_anew_what_it_dropped(tmp_path: Path) -> None:
    most: list[int] = []

    def training(configuration: Configuration, budget: float, context: Context) -> float:
        state = context.checkpoint.load() or {"budget": 0.0}
        assert state["budget"] == context.resumed
        context.checkpoint.save({"budget": budget, "weights": torch.zeros(1000)})
        assert context.checkpoint.target is not None
        files = list(context.checkpoint.target.parent.iterdir())
        most.append(sum(path.stat().st_size for path in files) // 5000)
        return cost(configuration, budget)

    def made(cap: int | None, directory: Path) -> Search:
        return Search(
            cells(), training, strategy=RandomSearch(), schedule=AsynchronousHalving(1, 9),
            directory=directory, checkpoint_bytes=cap,
        )  # fmt: skip

    capped = run(made(4 * 5500, tmp_path / "capped"), evaluations=60)
    assert max(most) <= 6  # the cap, one that is being made, and what is needed now
    free = run(made(None, tmp_path / "free"), evaluations=60)
    assert told(capped) == told(free)
    assert max(most) > 6
    dropped = sum(e.retrained for e in capped.evaluations)
    assert dropped > sum(e.retrained for e in free.evaluations)
    assert capped.resource > free.resource
    with made(4 * 5500, tmp_path / "capped") as again:
        assert again.run(evaluations=70, progress=Silent()).resource > capped.resource
