"""The weights of a network of a search space, with its configuration and architecture as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from ConfigSpace import Configuration
from torch import nn

from fidelity.export.normalisation import Normalised
from fidelity.export.subject import ExportError, Subject
from fidelity.export.weights import save_weights
from spaces.serialisation import architecture_from_json, architecture_to_json
from spaces.space import Space, configuration, record

FORMAT = 2
"""The version of the JSON, raised when older readers would misread it."""


@dataclass(frozen=True)
class StateDict:
    """A `.pt` file for `load_state_dict`, and a `.json` file that describes its network.

    Loading builds the network with the space, which must be the same as before; only tensors are
    read, never a pickled object.

    Attributes:
        space: builds the network.
        chosen: its configuration; None suffices to load, which reads it from the file.
        name: of the file of weights.
    """

    space: Space
    chosen: Configuration | None = None
    name: str = "weights.pt"

    @property
    def files(self) -> tuple[str, ...]:
        """The weights, then the JSON."""
        return (self.name, str(Path(self.name).with_suffix(".json")))

    def save(self, subject: Subject, directory: Path) -> None:
        """See `Format`.

        Raises:
            ExportError: `chosen` is None.
        """
        if self.chosen is None:
            raise ExportError(
                "the configuration of the network is missing: StateDict(space, configuration)"
            )
        weights, description = (directory / name for name in self.files)
        text = json.dumps(
            {
                "kind": "network",
                "format": FORMAT,
                "configuration": record(self.chosen),
                "input_shape": list(subject.input_shape),
                "outputs": subject.outputs,
                "scale": subject.network.parts if isinstance(subject.network, Normalised) else None,
                "architecture": json.loads(
                    architecture_to_json(self.space.architecture(self.chosen))
                ),
            },
            indent=1,
        )
        description.write_text(text + "\n", encoding="utf-8")
        save_weights(subject.network.state_dict(), weights)

    def load(self, path: Path) -> nn.Module:
        """Build the network and load its weights.

        Raises:
            ExportError: a file is damaged or missing, or belongs to another space.
        """
        description = path.with_suffix(".json")
        try:
            text = json.loads(description.read_text(encoding="utf-8"))
            if text["kind"] != "network" or text["format"] != FORMAT:
                raise ValueError(f"it is no description of a network in format {FORMAT}")
            network = self._build(text)
        except (OSError, LookupError, TypeError, ValueError) as error:
            raise ExportError(f"{description} does not describe a network: {error}") from error
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)
            network.load_state_dict(state)
        except Exception as error:  # whatever a damaged or foreign file makes torch raise
            raise ExportError(
                f"{path} does not hold the weights of this network: {error}"
            ) from error
        return network.eval()

    def _build(self, text: dict[str, Any]) -> nn.Module:
        shape, outputs = tuple(map(int, text["input_shape"])), int(text["outputs"])
        stored = configuration(self.space.configuration_space, text["configuration"])
        architecture = architecture_from_json(json.dumps(text["architecture"]))
        if self.space.architecture(stored).key != architecture.key:
            raise ValueError(
                "its configuration is another architecture in this space: load it with the space "
                "that wrote it"
            )
        network = self.space.build(stored, shape, outputs)
        if text["scale"] is None:
            return network
        return Normalised.blank(network, shape[0], len(shape) + 1, text["scale"], outputs)
