from __future__ import annotations

from pathlib import Path

from bonas.kept import KeptCheckpoints
from fidelity.history import History
from fidelity.schedules import FullFidelity
from fidelity.schedules.schedule import Promote, Start
from tests.fidelity.histories import end, space, start


def kept(directory: Path, history: History) -> KeptCheckpoints:
    return KeptCheckpoints(directory, history, FullFidelity(3.0))


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
    for cost in (0.5, 0.9, 0.8):
        end(history, start(history, Start(1.0)), cost)
    start(history, Start(1.0))
    best, worse, last, own = leave(tmp_path, 0, 1, 2, 3)
    checkpoints = kept(tmp_path, history)
    checkpoints.tidy()
    assert [path.exists() for path in (best, worse, last, own)] == [True, False, True, True]
    assert checkpoints.of(0) == best
    assert checkpoints.of(1) is None
