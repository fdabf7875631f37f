"""The protocol of file formats, and the export that verifies what it has written."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import nn

from fidelity.export.subject import ExportError, Subject
from spaces.resources.example_input import random_input
from spaces.space import InputShape

TOLERANCE = 1e-5
"""The largest difference of outputs, absolute up to 1 and relative above."""


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
    """Write a network in several formats, and read each back to compare its outputs.

    Args:
        network: from inputs (batch, *input_shape) to outputs (batch, outputs, ...); it does not
            change. One that reads integers says so by its attribute `input_dtype`, see
            `spaces.example_input`.
        input_shape: of one input, see `spaces.InputShape`.
        directory: for the files; created if missing.
        formats: the formats to write.
        tolerance: of the difference of the outputs, relative for those above 1.

    Returns:
        All files, those of each format together and the one that `load` takes first.

    Raises:
        FileExistsError: a file exists already. Nothing has been written.
        ExportError: a format cannot express the network, or the network read back differs. The
            files of that format are removed.
        ImportError: a format needs a package that is missing.
    """
    subject, directory = _prepared(network, input_shape, directory, formats)
    return [path for each in formats for path in _write(each, subject, directory, tolerance)]


def write_possible(
    network: nn.Module, input_shape: InputShape, directory: Path | str, formats: Sequence[Format]
) -> tuple[list[Path], dict[str, Exception]]:
    """Write a network in those of several formats that can express it, as `write` does.

    Args:
        network: see `write`.
        input_shape: of one input.
        directory: for the files; created if missing.
        formats: the formats to try.

    Returns:
        All files, and by the name of its first file the error of each format that was skipped.

    Raises:
        FileExistsError: a file exists already. Nothing has been written.
        ExportError: no format can express the network.
    """
    subject, directory = _prepared(network, input_shape, directory, formats)
    files: list[Path] = []
    skipped: dict[str, Exception] = {}
    for each in formats:
        try:
            files += _write(each, subject, directory, TOLERANCE)
        except (ExportError, ImportError) as error:
            skipped[each.files[0]] = error
    if not files:
        reasons = "; ".join(f"{name}: {error}" for name, error in skipped.items())
        raise ExportError(f"no format can express this network: {reasons}")
    return files, skipped


def _prepared(
    network: nn.Module, input_shape: InputShape, directory: Path | str, formats: Sequence[Format]
) -> tuple[Subject, Path]:
    directory = Path(directory)
    for path in (directory / name for each in formats for name in each.files):
        if path.exists():
            raise FileExistsError(
                f"{path} exists and is not overwritten: choose another directory, or remove it"
            )
    subject = Subject.of(network, input_shape)
    directory.mkdir(parents=True, exist_ok=True)
    return subject, directory


def _write(each: Format, subject: Subject, directory: Path, tolerance: float) -> list[Path]:
    """Write and check the files of one format; remove them if that fails."""
    paths = [directory / name for name in each.files]
    try:
        each.save(subject, directory)
        _check(each, subject, directory, tolerance)
    except BaseException:
        for path in paths:
            with contextlib.suppress(OSError):  # the disk may have become read-only
                path.unlink(missing_ok=True)
        raise
    return paths


def _check(written: Format, subject: Subject, directory: Path, tolerance: float) -> None:
    path = directory / written.files[0]
    error = difference(subject.network, written.load(path), subject.input_shape)
    if not error <= tolerance:
        raise ExportError(
            f"the outputs of the network read back from {path} differ by {error:.2g}, more than "
            f"{tolerance:g}: the format does not keep what this network computes"
        )


@torch.inference_mode()
def difference(
    network: nn.Module, other: nn.Module, input_shape: InputShape, seed: int = 0
) -> float:
    """Return the difference of two networks' outputs on random inputs, in batches of 1 and 3.

    Args:
        network: in evaluation mode, on the CPU.
        other: likewise.
        input_shape: of one input.
        seed: of the inputs.

    Returns:
        The largest difference, divided by the absolute output where that is above 1; NaN if an
        output is NaN or infinite.

    Raises:
        ExportError: the outputs have different shapes.
    """
    generator = torch.Generator().manual_seed(seed)
    worst = torch.zeros(())
    for batch in (1, 3):
        inputs = random_input(network, input_shape, batch, generator)
        expected, actual = network(inputs), other(inputs)
        if expected.shape != actual.shape:
            raise ExportError(
                f"the outputs have the shape {tuple(actual.shape)}, not {tuple(expected.shape)}"
            )
        errors = (expected - actual).abs() / expected.abs().clamp(min=1)
        worst = torch.maximum(worst, errors.max())  # keeps NaN
    return worst.item()
