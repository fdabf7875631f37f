"""The protocol of file formats, and the export that verifies what it has written."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from fidelity.export.subject import ExportError, Subject
from spaces.space import InputShape

TOLERANCE = 1e-5
"""The largest difference of logits, absolute up to 1 and relative above."""


class Format(Protocol):
    """A way to store a network on disk."""

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files that it writes; `load` takes the first one."""
        ...

    def save(self, subject: Subject, directory: Path) -> None:
        """Write the files.

        Args:
            subject: the network.
            directory: exists already.

        Raises:
            ExportError: the format cannot express the network.
        """
        ...

    def load(self, path: Path) -> nn.Module:
        """Return the network of the first file, in evaluation mode on the CPU.

        Raises:
            ExportError: the file is damaged or of another format.
        """
        ...


def write(
    network: nn.Module,
    input_shape: InputShape,
    directory: Path | str,
    formats: Sequence[Format],
    tolerance: float = TOLERANCE,
) -> list[Path]:
    """Write a network in several formats, and read each back to compare its logits.

    Args:
        network: from images (batch, *input_shape) to logits; it does not change.
        input_shape: channels, height and width of one image.
        directory: for the files; created if missing.
        formats: the formats to write.
        tolerance: of the difference of the logits, relative for those above 1.

    Returns:
        The first file of each format.

    Raises:
        FileExistsError: a file exists already. Nothing has been written.
        ExportError: a format cannot express the network, or the network read back differs. The
            files of that format are removed.
    """
    directory = Path(directory)
    for path in (directory / name for each in formats for name in each.files):
        if path.exists():
            raise FileExistsError(
                f"{path} exists and is not overwritten: choose another directory, or remove it"
            )
    subject = Subject.of(network, input_shape)
    directory.mkdir(parents=True, exist_ok=True)
    for each in formats:
        try:
            each.save(subject, directory)
            _check(each, subject, directory, tolerance)
        except BaseException:
            for name in each.files:
                with contextlib.suppress(OSError):  # the disk may have become read-only
                    (directory / name).unlink(missing_ok=True)
            raise
    return [directory / each.files[0] for each in formats]


def _check(written: Format, subject: Subject, directory: Path, tolerance: float) -> None:
    path = directory / written.files[0]
    error = difference(subject.network, written.load(path), subject.input_shape)
    if not error <= tolerance:
        raise ExportError(
            f"the logits of the network read back from {path} differ by {error:.2g}, more than "
            f"{tolerance:g}: the format does not keep what this network computes"
        )


@torch.inference_mode()
def difference(
    network: nn.Module, other: nn.Module, input_shape: InputShape, seed: int = 0
) -> float:
    """Return the difference of two networks' logits on random images, in batches of 1 and 3.

    Args:
        network: in evaluation mode, on the CPU.
        other: likewise.
        input_shape: channels, height and width of one image.
        seed: of the images.

    Returns:
        The largest difference, divided by the absolute logit where that is above 1; NaN if a
        logit is NaN or infinite.

    Raises:
        ExportError: the logits have different shapes.
    """
    generator = torch.Generator().manual_seed(seed)
    worst = torch.zeros(())
    for batch in (1, 3):
        images = torch.randn(batch, *input_shape, generator=generator)
        expected, actual = network(images), other(images)
        if expected.shape != actual.shape:
            raise ExportError(
                f"the logits have the shape {tuple(actual.shape)}, not {tuple(expected.shape)}"
            )
        errors = (expected - actual).abs() / expected.abs().clamp(min=1)
        worst = torch.maximum(worst, errors.max())  # keeps NaN
    return worst.item()
