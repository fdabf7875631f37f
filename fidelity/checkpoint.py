"""Checkpoints: the state of a trial, for the promotion that resumes it."""

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
    """A checkpoint that could not be read or written; the evaluation is valid without it."""


@dataclass
class Checkpoint:
    """The file that a trial resumes from, and the file for its own state.

    Attributes:
        source: of the resumed trial; None for training from scratch.
        target: for this trial's state; None keeps nothing.
        refused: the source could not be used, so that the training started from scratch.
        unsaved: the reason why the last state could not be written; None if it was.
        notices: the texts of all warnings, for the process of the search.
    """

    source: Path | None = None
    target: Path | None = None
    refused: bool = False
    unsaved: str | None = None
    notices: list[str] = field(default_factory=list)

    @property
    def own(self) -> bool:
        """Whether the source is the state of an earlier attempt at the same trial."""
        return self.source is not None and self.source == self.target

    def again(self) -> Checkpoint:
        """Return the checkpoint of a retry, which resumes from this attempt's state."""
        saved = self.target is not None and self.target.exists()
        return Checkpoint(self.target if saved else self.source, self.target)

    def load(self) -> dict[str, Any] | None:
        """Return the saved state, tensors on the CPU; None if there is none or it is unreadable.

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
        except Exception as error:  # torch raises anything for a damaged file
            self.refuse(f"cannot be read ({error})")
            return None
        return state

    def refuse(self, reason: str) -> None:
        """Warn that the training starts from scratch, which is recorded and counted in full.

        Args:
            reason: the predicate of "the checkpoint ...", for instance "cannot be read".
        """
        self.refused = True
        self._warn(f"the checkpoint {self.source} {reason}; training starts from scratch")

    def restart(self) -> None:
        """Train from scratch without a warning: the source was not meant to be resumed."""
        self.source, self.refused = None, True

    def save(self, state: dict[str, Any]) -> None:
        """Write `state` so that a crash leaves either the complete file or none.

        A failure of the disk is only a warning: the evaluation is valid without its checkpoint.
        """
        if self.target is None:
            return
        import torch

        # In memory first, so that an unpicklable state is not mistaken for a full disk.
        packed = io.BytesIO()
        torch.save(state, packed)
        try:
            self.target.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self.target, packed.getbuffer())
        except OSError as error:
            self.unsaved = error.strerror or str(error)
            self._warn(
                f"the checkpoint {self.target} cannot be written ({self.unsaved}): the evaluation "
                "continues without it"
            )
        else:
            self.unsaved = None

    def adopt(self, other: Checkpoint) -> None:
        """Take over what another process recorded about the same checkpoint, and its warnings."""
        self.refused, self.unsaved = other.refused, other.unsaved
        for text in other.notices:
            self._warn(text)

    def _warn(self, text: str) -> None:
        self.notices.append(text)
        warnings.warn(text, CheckpointWarning, stacklevel=4)


def verify(path: Path) -> None:
    """Check the checksums of a checkpoint file, which torch writes and does not read.

    Raises:
        ValueError: they do not match the content.
        Exception: the file cannot be read, or is not a checkpoint.
    """
    with zipfile.ZipFile(path) as file:
        if (damaged := file.testzip()) is not None:
            raise ValueError(f"the checksum of {damaged} does not match")


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoint files of a search, at most one per trial."""

    directory: Path

    def path(self, trial: int) -> Path:
        """Return the file of trial number `trial`."""
        return self.directory / f"trial-{trial}.pt"

    def keep(self, trials: Collection[int]) -> None:
        """Remove all checkpoints but those of `trials`, half-written ones included.

        Files that a worker is writing for one of `trials` stay.
        """
        stems = {self.path(trial).stem for trial in trials}
        for path in self.directory.glob("trial-*"):
            if path.stem not in stems:
                path.unlink(missing_ok=True)

    def sizes(self) -> dict[int, int]:
        """Return the size of each checkpoint in bytes, by the number of its trial."""
        sizes = {}
        for path in self.directory.glob("trial-*.pt"):
            number = path.stem.removeprefix("trial-")
            if number.isdecimal():
                with contextlib.suppress(FileNotFoundError):  # removed just now
                    sizes[int(number)] = path.stat().st_size
        return sizes

    def remove(self, trial: int) -> None:
        """Remove the checkpoint of trial number `trial`, if there is one."""
        self.path(trial).unlink(missing_ok=True)

    def forget(self, first: int) -> None:
        """Remove those of trial number `first` and later ones, which no history records."""
        for path in self.directory.glob("trial-*"):
            number = path.stem.removeprefix("trial-")
            if number.isdecimal() and int(number) >= first:
                path.unlink(missing_ok=True)
