from __future__ import annotations

import errno
import os
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fidelity.checkpoint import Checkpoint, Checkpoints, CheckpointWarning
from tests.fidelity.trained import assert_identical


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "trial-0.pt"
    state = {"weights": {"a": torch.arange(3.0)}, "step": 7, "plan": [1, 2]}
    Checkpoint(target=path).save(state)
    loaded = Checkpoint(source=path).load()
    assert loaded is not None
    assert torch.equal(loaded["weights"]["a"], torch.arange(3.0))
    assert (loaded["step"], loaded["plan"]) == (7, [1, 2])
    assert [file.name for file in tmp_path.iterdir()] == ["trial-0.pt"]


def test_without_files_nothing_is_loaded_or_kept() -> None:
    Checkpoint().save({"step": 1})
    assert Checkpoint().load() is None


def save_and_truncate(path: Path) -> None:
    Checkpoint(target=path).save({"weights": torch.zeros(1000)})
    path.write_bytes(path.read_bytes()[:2000])


class Exploit:
    """A pickle that calls a function when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.touch, (self.path,)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": lambda path: None,
    "a folder": lambda path: path.mkdir(),
    "empty": lambda path: path.write_bytes(b""),
    "truncated": save_and_truncate,
    "text": lambda path: path.write_text("not a checkpoint", encoding="utf-8"),
    "a list": lambda path: torch.save([1, 2], path),
    "a tensor": lambda path: torch.save(torch.zeros(3), path),
    "an object": lambda path: torch.save({"run": Exploit(path.with_name("touched"))}, path),
    "a pickle": lambda path: path.write_bytes(
        pickle.dumps(Exploit(path.with_name("touched")), protocol=2)
    ),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_what_cannot_be_read_is_a_warning_and_no_state(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "trial-0.pt"
    DAMAGE[damage](path)
    with pytest.warns(
        UserWarning, match=r"(?s)trial-0.pt cannot be read .* training starts from scratch"
    ):
        assert Checkpoint(source=path).load() is None
    assert not (tmp_path / "touched").exists()


WHOLE = {"weights": {"a": torch.arange(100.0)}, "step": 7}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("checkpoints") / "trial-0.pt"
    Checkpoint(target=path).save(WHOLE)
    return path


@given(where=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
@settings(deadline=None)
def test_a_flipped_bit_is_seen_or_changes_nothing(written: Path, where: float, bit: int) -> None:
    content = bytearray(written.read_bytes())
    content[int(where * len(content))] ^= 1 << bit
    path = written.with_name("trial-1.pt")
    path.write_bytes(content)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = Checkpoint(source=path).load()
    if loaded is None:
        assert "training starts from scratch" in str(caught[-1].message)
    else:
        assert_identical(loaded, WHOLE)


def test_a_flipped_bit_of_the_weights_is_seen(written: Path) -> None:
    content = bytearray(written.read_bytes())
    place = content.index(torch.arange(100.0).numpy().tobytes())
    content[place + 201] ^= 1
    path = written.with_name("trial-2.pt")
    path.write_bytes(content)
    with pytest.warns(UserWarning, match=r"the checksum of .*data/0 does not match"):
        assert Checkpoint(source=path).load() is None


def test_a_crash_while_writing_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "trial-0.pt"
    Checkpoint(target=path).save({"step": 1})

    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    checkpoint = Checkpoint(target=path)
    with pytest.warns(CheckpointWarning, match="No space left"):
        checkpoint.save({"step": 2})
    assert checkpoint.unsaved == "No space left on device"
    assert Checkpoint(source=path).load() == {"step": 1}


def test_a_trial_may_overwrite_what_it_continued_from(tmp_path: Path) -> None:
    path = tmp_path / "trial-0.pt"
    both = Checkpoint(path, path)
    for step in range(3):
        both.save({"step": step})
    assert both.load() == {"step": 2}


def test_only_the_checkpoints_that_are_needed_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    states: list[dict[str, Any]] = [{"step": number} for number in range(4)]
    for number, state in enumerate(states):
        Checkpoint(target=checkpoints.path(number)).save(state)
    checkpoints.path(9).with_suffix(".tmp").write_bytes(b"half")
    (tmp_path / "history.jsonl").write_text("", encoding="utf-8")
    checkpoints.keep({1, 3, 77})
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "history.jsonl",
        "trial-1.pt",
        "trial-3.pt",
    ]


def test_sizes_are_those_of_the_files(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    assert Checkpoints(tmp_path / "missing").sizes() == {}
    for number in (3, 11):
        checkpoints.path(number).write_bytes(b"x" * number)
    (tmp_path / "trial-9.tmp").write_bytes(b"half")
    (tmp_path / "trial-x.pt").write_bytes(b"?")
    assert checkpoints.sizes() == {3: 3, 11: 11}
    checkpoints.remove(3)
    checkpoints.remove(3)
    assert checkpoints.sizes() == {11: 11}


def test_what_another_worker_is_writing_is_left_alone(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for trial in (1, 3):
        (tmp_path / f"trial-{trial}.tmp").touch()
    checkpoints.keep({3})
    assert [path.name for path in tmp_path.iterdir()] == ["trial-3.tmp"]


def test_what_cannot_be_packed_is_an_error_of_whoever_saves_it(tmp_path: Path) -> None:
    checkpoint = Checkpoint(target=tmp_path / "trial-0.pt")
    with pytest.raises((AttributeError, TypeError, pickle.PicklingError)):
        checkpoint.save({"function": lambda: None})
    assert not list(tmp_path.iterdir())
    assert checkpoint.unsaved is None


def test_a_state_that_is_written_later_makes_up_for_one_that_was_not(tmp_path: Path) -> None:
    (tmp_path / "folder").write_text("in the way", encoding="utf-8")
    checkpoint = Checkpoint(target=tmp_path / "folder" / "trial-0.pt")
    with pytest.warns(CheckpointWarning, match=r"trial-0.pt cannot be written \("):
        checkpoint.save({"step": 1})
    assert checkpoint.unsaved is not None
    assert checkpoint.notices == [
        f"the checkpoint {checkpoint.target} cannot be written "
        f"({checkpoint.unsaved}): the evaluation continues without it"
    ]
    (tmp_path / "folder").unlink()
    checkpoint.save({"step": 2})
    assert checkpoint.unsaved is None


def test_without_fsync_it_is_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(descriptor: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", unsupported)
    Checkpoint(target=tmp_path / "trial-0.pt").save({"step": 1})
    assert Checkpoint(source=tmp_path / "trial-0.pt").load() == {"step": 1}
