"""A network as ONNX, for onnxruntime and other engines."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from fidelity.augment import Inputs
from fidelity.export.subject import ExportError, Subject

INPUTS, OUTPUTS = "inputs", "outputs"
"""The names of the input and the output in the file."""


@dataclass(frozen=True)
class OnnxFile:
    """One `.onnx` file with weights, for batches of any size; needs `pip install bonas[onnx]`.

    Attributes:
        name: of the file.
    """

    name: str = "network.onnx"

    @property
    def files(self) -> tuple[str, ...]:
        """The one file."""
        return (self.name,)

    def save(self, subject: Subject, directory: Path) -> None:
        """See `Format`.

        Raises:
            ExportError: the network cannot be traced, or ONNX lacks an operation.
            ImportError: the optional packages are missing.
        """
        _require("onnxscript")
        program = subject.program
        try:
            with warnings.catch_warnings(), _without_torchvision():
                # From torch's exporter, about its own code.
                warnings.filterwarnings("ignore", ".*LeafSpec.*", FutureWarning)
                torch.onnx.export(
                    program,
                    f=directory / self.name,
                    input_names=[INPUTS],
                    output_names=[OUTPUTS],
                    dynamo=True,
                    external_data=False,
                    verbose=False,
                )
        except torch.onnx.errors.OnnxExporterError as error:
            raise ExportError(f"ONNX cannot express this network: {error}") from error

    def load(self, path: Path) -> nn.Module:
        """Return a network that runs the file in onnxruntime.

        Raises:
            ExportError: the file is damaged or of another format.
            ImportError: the optional packages are missing.
        """
        runtime = _require("onnxruntime")
        try:
            session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:  # it has many classes of errors
            raise ExportError(f"onnxruntime cannot read {path}: {error}") from error
        return OnnxNetwork(session)


class OnnxNetwork(nn.Module):
    """A session of onnxruntime as a module, for comparisons; it has no weights in torch.

    Args:
        session: an `onnxruntime.InferenceSession` with one input.
    """

    def __init__(self, session: Any) -> None:
        super().__init__()
        self.session = session
        self.eval()

    def forward(self, inputs: Inputs) -> Float[Tensor, "batch outputs ..."]:
        """Return the outputs, on the CPU."""
        name = self.session.get_inputs()[0].name
        (outputs,) = self.session.run(None, {name: inputs.numpy(force=True)})
        return torch.from_numpy(outputs)


@contextlib.contextmanager
def _without_torchvision() -> Iterator[None]:
    """Drop the exporter's messages about torchvision, whose operations no exported network has."""

    def unrelated(record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("torchvision is not installed")

    exporter = logging.getLogger("torch.onnx._internal.exporter._registration")
    exporter.addFilter(unrelated)
    try:
        yield
    finally:
        exporter.removeFilter(unrelated)


def _require(module: str) -> Any:
    import importlib

    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(
            f"ONNX needs the package {module}, which is not installed: pip install 'bonas[onnx]'"
        ) from error
