"""What a file format is, and the export that checks what it has written."""

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
"""The largest difference of logits, absolute for those up to 1 and relative above."""


class Format(Protocol):
    """One way to keep a network on the disk."""

    @property
    def files(self) -> tuple[str, ...]:
        """The names of the files that it writes; the first one is what `load` is given."""
        ...

    def save(self, subject: Subject, directory: Path) -> None:
        """Writes the files into a directory that exists.

        Raises:
            ExportError: the format cannot express the network.
        """
        ...

    def load(self, path: Path) -> nn.Module:
        """The network of the first file, in evaluation mode on the CPU.

        Raises:
            ExportError: the file is damaged or of another kind.
        """
        ...


def write(
    network: nn.Module,
    input_shape: InputShape,
    directory: Path | str,
    formats: Sequence[Format],
    tolerance: float = TOLERANCE,
) -> list[Path]:
    """Writes a network in several formats, and reads each back to compare its logits.

    Args:
        network: from images (batch, *input_shape) to logits; it is not changed.
        input_shape: channels, height and width of one image.
        directory: for the files; made if it is missing.
        formats: which to write.
        tolerance: for the difference of the logits, relative for those above 1.

    Returns:
        The first file of each format.

    Raises:
        FileExistsError: a file is there already. Nothing has been written.
        ExportError: a format cannot express the network, or what was read back differs. The
            files of that format are removed again.
    """
    directory = Path(directory)
    for path in (directory / name for kind in formats for name in kind.files):
        if path.exists():
            raise FileExistsError(
                f"{path} exists and is not overwritten: choose another directory, or remove it"
            )
    subject = Subject.of(network, input_shape)
    directory.mkdir(parents=True, exist_ok=True)
    for kind in formats:
        try:
            kind.save(subject, directory)
            _check(kind, subject, directory, tolerance)
        except BaseException:
            for name in kind.files:
                with contextlib.suppress(OSError):  # of a disk that has become read-only
                    (directory / name).unlink(missing_ok=True)
            raise
    return [directory / kind.files[0] for kind in formats]


def _check(kind: Format, subject: Subject, directory: Path, tolerance: float) -> None:
    path = directory / kind.files[0]
    found = difference(subject.network, kind.load(path), subject.input_shape)
    if not found <= tolerance:
        raise ExportError(
            f"the logits of the network read back from {path} differ by {found:.2g}, more than "
            f"{tolerance:g}: the format does not keep what this network computes"
        )


@torch.inference_mode()
def difference(
    network: nn.Module, other: nn.Module, input_shape: InputShape, seed: int = 0
) -> float:
    """How far the logits of two networks are apart, on random images in batches of 1 and 3.

    Args:
        network: in evaluation mode, on the CPU.
        other: the same.
        input_shape: channels, height and width of one image.
        seed: of the images.

    Returns:
        The largest difference, divided by the size of the logit where that is above 1; NaN if
        a logit is NaN or infinite.

    Raises:
        ExportError: the logits have different shapes.
    """
    generator = torch.Generator().manual_seed(seed)
    worst = torch.zeros(())
    for batch in (1, 3):
        images = torch.randn(batch, *input_shape, generator=generator)
        expected, found = network(images), other(images)
        if expected.shape != found.shape:
            raise ExportError(
                f"the logits have the shape {tuple(found.shape)} instead of {tuple(expected.shape)}"
            )
        apart = (expected - found).abs() / expected.abs().clamp(min=1)
        worst = torch.maximum(worst, apart.max())  # which keeps NaN
    return worst.item()
