from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest
import torch

from fidelity.export import ExportError, StateDict
from fidelity.export.format import write
from fidelity.export.normalisation import Normalised
from spaces import CellSpace, zoo
from spaces.serialisation import architecture_from_json
from spaces.space import Space
from tests.fidelity.export.contract import FormatContract
from tests.fidelity.export.networks import NAMED, SPACES, configuration, subject


class TestStateDict(FormatContract):
    traced = False

    @staticmethod
    def make_format(name: str) -> StateDict:
        return StateDict(SPACES[name][0], configuration(name))

    @staticmethod
    def of_space(space: Space, name: str) -> StateDict:
        return StateDict(space, NAMED[name][0]())


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    kind = StateDict(SPACES["joint"][0], configuration("joint"))
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device.*weights.pt"):
        write(subject("joint").network, (1, 8, 8), tmp_path, [kind])
    assert not list(tmp_path.iterdir())


def test_the_json_says_what_network_it_is(tmp_path: Path) -> None:
    space = SPACES["joint"][0]
    StateDict(space, configuration("joint")).save(subject("joint"), tmp_path)
    text = json.loads((tmp_path / "weights.json").read_text(encoding="utf-8"))
    assert (text["input_shape"], text["outputs"]) == ([1, 8, 8], 5)
    assert text["scale"] == ["mean", "scale"]
    assert text["configuration"] == dict(configuration("joint"))
    architecture = architecture_from_json(json.dumps(text["architecture"]))
    assert architecture.key == space.architecture(configuration("joint")).key
    assert isinstance(StateDict(space).load(tmp_path / "weights.pt"), Normalised)


def test_the_weights_are_plain_tensors(tmp_path: Path) -> None:
    StateDict(SPACES["cells"][0], configuration("cells")).save(subject("cells"), tmp_path)
    state = torch.load(tmp_path / "weights.pt", weights_only=True)
    assert state.keys() == subject("cells").network.state_dict().keys()


def test_another_space_is_refused(tmp_path: Path) -> None:
    kind = StateDict(SPACES["cells"][0], configuration("cells"))
    kind.save(subject("cells"), tmp_path)
    with pytest.raises(ExportError, match=r"weights\.json does not describe a network"):
        StateDict(zoo.space()).load(tmp_path / "weights.pt")
    with pytest.raises(ExportError, match=r"does not hold the weights of this network"):
        StateDict(CellSpace.nasbench201(8, 1, 2)).load(tmp_path / "weights.pt")


def test_another_meaning_of_the_configuration_is_refused(tmp_path: Path) -> None:
    kind = StateDict(SPACES["cells"][0], configuration("cells"))
    kind.save(subject("cells"), tmp_path)
    path = tmp_path / "weights.json"
    text = json.loads(path.read_text(encoding="utf-8"))
    text["architecture"]["nodes"] = [["input", []], ["nor_conv_1x1", [0]], ["output", [1]]]
    path.write_text(json.dumps(text), encoding="utf-8")
    with pytest.raises(ExportError, match="another architecture in this space"):
        kind.load(tmp_path / "weights.pt")
    path.write_text(json.dumps(text | {"format": 99}), encoding="utf-8")
    with pytest.raises(ExportError, match="no description of a network in format 2"):
        kind.load(tmp_path / "weights.pt")


def test_saving_needs_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"StateDict\(space, configuration\)"):
        StateDict(SPACES["cells"][0]).save(subject("cells"), tmp_path)
