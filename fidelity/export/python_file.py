"""A network as a Python file that imports torch alone, with a file of weights next to it."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from fidelity.export.source import source
from fidelity.export.subject import ExportError, Subject
from fidelity.export.weights import save_weights


@dataclass(frozen=True)
class PythonFile:
    """A `.py` file with a class `Network` and a function `load`, and a `.pt` file of weights.

    The class can be read, changed and trained further: it has normalisation and dropout.

    Attributes:
        name: of the Python file, with its ending; the weights have the ending `.pt`.
    """

    name: str = "network.py"

    @property
    def files(self) -> tuple[str, ...]:
        """The source, then the weights."""
        return (self.name, str(Path(self.name).with_suffix(".pt")))

    def save(self, subject: Subject, directory: Path) -> None:
        """See `Format`.

        Raises:
            ExportError: the network cannot be traced, or has an operation with no form in Python.
        """
        written = source(subject)
        code, weights = (directory / name for name in self.files)
        code.write_text(written.text, encoding="utf-8")
        save_weights(dict(written.weights), weights)

    def load(self, path: Path) -> nn.Module:
        """Run the file, which is code: load only what you trust.

        Raises:
            ExportError: the file defines no network, or its weights are missing or do not fit.
        """
        try:
            spec = importlib.util.spec_from_file_location(path.stem, path)
            if spec is None or spec.loader is None:
                raise ImportError("the name of a Python file ends in .py")
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            network = module.load()
        except Exception as error:  # whatever the code in the file raises
            raise ExportError(f"{path} cannot be loaded: {error}") from error
        if not isinstance(network, nn.Module):
            raise ExportError(f"load() of {path} returns a {type(network).__name__}, no network")
        return network
