"""Checkpoints that the framework owns: what a trial leaves for the one that continues it."""

from __future__ import annotations

import contextlib
import io
import warnings
import zipfile
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fidelity.disk import write_whole


class CheckpointWarning(UserWarning):
    """A checkpoint that could not be read or written; the evaluation is as good without it."""


@dataclass
class Checkpoint:
    """Where a trial finds the state it continues from, and where it leaves its own.

    Attributes:
        source: the file of the trial that is continued; None at the start.
        target: the file for this trial's own state; None keeps nothing.
        refused: the source was of no use, so that the training started anew.
        unsaved: why the last state could not be written; None if it was.
        notices: the texts of all warnings, for the process of the search.
    """

    source: Path | None = None
    target: Path | None = None
    refused: bool = False
    unsaved: str | None = None
    notices: list[str] = field(default_factory=list)

    @property
    def own(self) -> bool:
        """Whether the source is what an earlier attempt at the same trial has left."""
        return self.source is not None and self.source == self.target

    def again(self) -> Checkpoint:
        """For another attempt at the same trial: it goes on from what this one has left."""
        left = self.target is not None and self.target.exists()
        return Checkpoint(self.target if left else self.source, self.target)

    def load(self) -> dict[str, Any] | None:
        """The saved state, tensors on the CPU; None if there is none or it cannot be read.

        Only tensors and plain containers are read, never a pickled object.
        """
        if self.source is None:
            return None
        import torch

        try:
            verify(self.source)
            state = torch.load(self.source, map_location="cpu", weights_only=True)
            if not isinstance(state, dict):
                raise ValueError(f"it holds a {type(state).__name__}, not a dictionary")
        except Exception as error:  # whatever a damaged file makes torch raise
            self.refuse(f"cannot be read ({error})")
            return None
        return state

    def refuse(self, reason: str) -> None:
        """Warns that the training starts anew, which is recorded and counted in full.

        Args:
            reason: what is wrong with the source: the rest of "the checkpoint ...".
        """
        self.refused = True
        self._warn(f"the checkpoint {self.source} {reason}; training starts anew")

    def restart(self) -> None:
        """Start from the beginning without a warning: the source was never to be continued."""
        self.source, self.refused = None, True

    def save(self, state: dict[str, Any]) -> None:
        """Write `state` so that a crash leaves either the whole file or none.

        Where the disk refuses it, this is a warning: the training that it belongs to is as good
        without it.
        """
        if self.target is None:
            return
        import torch

        # In memory first, so that what cannot be saved at all is not taken for a full disk.
        packed = io.BytesIO()
        torch.save(state, packed)
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.target, packed.getbuffer())
        except OSError as error:
            self.unsaved = error.strerror or str(error)
            self._warn(
                f"the checkpoint {self.target} cannot be written ({self.unsaved}): the evaluation "
                "goes on without it"
            )
        else:
            self.unsaved = None

    def _warn(self, text: str) -> None:
        self.notices.append(text)
        warnings.warn(text, CheckpointWarning, stacklevel=4)


def verify(path: Path) -> None:
    """Checks the checksums of a checkpoint file, which torch writes and does not look at.

    Raises:
        ValueError: they do not match what is in the file.
        Exception: it cannot be read, or is no such file.
    """
    with zipfile.ZipFile(path) as file:
        if (damaged := file.testzip()) is not None:
            raise ValueError(f"the checksum of {damaged} does not match")


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoint files of a search, one for each trial that left one."""

    directory: Path

    def path(self, trial: int) -> Path:
        """The file of trial number `trial`."""
        return self.directory / f"trial-{trial}.pt"

    def keep(self, trials: Collection[int]) -> None:
        """Removes every checkpoint but those of `trials`, and what a crash left half written.

        What a worker is writing for one of `trials` right now is left alone.
        """
        kept = {self.path(trial).stem for trial in trials}
        for path in self.directory.glob("trial-*"):
            if path.stem not in kept:
                path.unlink(missing_ok=True)

    def sizes(self) -> dict[int, int]:
        """The bytes of each checkpoint by the number of its trial."""
        found = {}
        for path in self.directory.glob("trial-*.pt"):
            number = path.stem.removeprefix("trial-")
            if number.isdecimal():
                with contextlib.suppress(FileNotFoundError):  # removed just now
                    found[int(number)] = path.stat().st_size
        return found

    def remove(self, trial: int) -> None:
        """Removes the checkpoint of trial number `trial`, if there is one."""
        self.path(trial).unlink(missing_ok=True)

    def forget(self, first: int) -> None:
        """Removes those of trial number `first` and later ones, of which no history knows."""
        for path in self.directory.glob("trial-*"):
            number = path.stem.removeprefix("trial-")
            if number.isdecimal() and int(number) >= first:
                path.unlink(missing_ok=True)
