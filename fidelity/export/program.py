"""The graph of a network as a file of `torch.export`, which needs none of its code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from fidelity.export.subject import ExportError, Subject


@dataclass(frozen=True)
class Program:
    """A `.pt2` file for torch alone, in Python or compiled ahead of time.

    Attributes:
        name: of the file.
    """

    name: str = "network.pt2"

    @property
    def files(self) -> tuple[str, ...]:
        """The one file."""
        return (self.name,)

    def save(self, subject: Subject, directory: Path) -> None:
        """See `Format`.

        Raises:
            ExportError: the network cannot be traced.
        """
        torch.export.save(subject.program, directory / self.name)

    def load(self, path: Path) -> nn.Module:
        """Return the graph as a module for prediction: torch refuses its `train()` and `eval()`.

        torch may unpickle parts of the file, which can run code: load only what you trust.

        Raises:
            ExportError: the file is damaged or holds no program.
        """
        try:
            program = torch.export.load(path)
        except Exception as error:  # whatever a damaged file makes torch raise
            raise ExportError(f"{path} is no intact program of torch.export: {error}") from error
        return program.module()
