from __future__ import annotations

import importlib.util
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from ConfigSpace import ConfigurationSpace

from fidelity.datasets import from_arrays
from fidelity.datasets.dataset import Part
from fidelity.export import ExportError, Program, PythonFile, StateDict, Subject
from fidelity.objective import InvalidArchitecture
from fidelity.training.retrain import Final, retrain
from fidelity.training.training import Training
from spaces import JointSpace
from spaces.architecture.labels import ZERO
from spaces.space import sample
from tests.fidelity.trained import DATASET, SPACE, TRAINING, assert_identical

CONVOLUTION = SPACE.of("convolution")


@pytest.fixture(scope="module")
def final() -> Final:
    return retrain(TRAINING, CONVOLUTION, epochs=4, seeds=(3, 5))


def error(network: torch.nn.Module, part: Part) -> float:
    """With images as they are in the data set."""
    with torch.no_grad():
        wrong = network(part.inputs.float()).argmax(1) != part.targets
    return wrong.float().mean().item()


def test_one_network_per_seed_with_its_test_error(final: Final) -> None:
    assert final.epochs == 4
    assert len(final.networks) == len(final.test_costs) == 2
    assert final.network is final.networks[0]
    for network, found in zip(final.networks, final.test_costs, strict=True):
        assert not network.training
        assert error(network, DATASET.test) == pytest.approx(found)
    one, other = final.test_costs
    assert final.mean == pytest.approx((one + other) / 2)
    assert final.standard_deviation == pytest.approx(abs(one - other) / math.sqrt(2))
    one_state, other_state = (network.state_dict() for network in final.networks)
    assert not torch.equal(one_state["network.0.weight"], other_state["network.0.weight"])


def test_trains_on_training_and_validation_images(final: Final) -> None:
    images = torch.cat([DATASET.train.inputs, DATASET.validation.inputs])
    labels = torch.cat([DATASET.train.targets, DATASET.validation.targets])
    merged = replace(DATASET, train=Part(images, labels))
    alone = replace(TRAINING, dataset=merged, max_epochs=4).final(CONVOLUTION, seed=3)
    assert_identical(final.network.state_dict()["mean"], images.mean().view(1, 1, 1, 1))
    trained = {f"network.{name}": value for name, value in alone.network.state_dict().items()}
    state = final.network.state_dict()
    del state["mean"], state["scale"]
    assert state.keys() == trained.keys()
    assert all(torch.equal(state[name], trained[name]) for name in trained)


def test_the_same_seeds_give_the_same_networks(final: Final) -> None:
    again = retrain(TRAINING, CONVOLUTION, epochs=4, seeds=(5,))
    assert again.test_costs == final.test_costs[1:]
    assert math.isnan(again.standard_deviation)
    assert "(1 seed, 4 epochs)" in str(again)
    assert "±" not in str(again)
    assert f"{final.mean:.2%} ± " in str(final)


def test_saves_the_first_network_in_every_format(final: Final, tmp_path: Path) -> None:
    written = [path.name for path in final.save(tmp_path / "winner")]
    everything = ["weights.pt", "weights.json", "network.pt2", "network.py", "network.pt"]
    everything.append("network.onnx")
    assert sorted(written) == sorted(path.name for path in (tmp_path / "winner").iterdir())
    installed = importlib.util.find_spec("onnxscript") is not None
    assert written == (everything if installed else everything[:-1])
    for kind, name in ((StateDict(SPACE), "weights.pt"), (PythonFile(), "network.py")):
        network = kind.load(tmp_path / "winner" / name)
        assert error(network, DATASET.test) == pytest.approx(final.test_costs[0])
    with pytest.raises(FileExistsError, match=r"weights\.pt exists"):
        final.save(tmp_path / "winner")


def test_saving_says_what_it_skipped_and_why(
    final: Final, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(self: Program, subject: Subject, directory: Path) -> None:
        raise ExportError("its forward branches on values")

    monkeypatch.setattr(Program, "save", refuse)
    monkeypatch.setitem(sys.modules, "onnxscript", None)
    written = {path.name for path in final.save(tmp_path / "winner")}
    assert written == {"weights.pt", "weights.json", "network.py", "network.pt"}
    own = [record for record in caplog.records if record.name == "fidelity.training.retrain"]
    pt2, onnx = (record.getMessage() for record in own)
    assert pt2 == "network.pt2 was not written: its forward branches on values"
    assert onnx.startswith("network.onnx was not written: ONNX needs the package onnxscript")
    with pytest.raises(ExportError, match="branches on values"):
        final.save(tmp_path / "requested", [Program()])


def test_saves_the_requested_formats(final: Final, tmp_path: Path) -> None:
    final.save(tmp_path, [PythonFile("winner.py")])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["winner.pt", "winner.py"]


def test_a_joint_space_chooses_its_own_training() -> None:
    space = JointSpace(SPACE, ConfigurationSpace({"batch_size": [16, 32]}))
    training = Training(space, DATASET, max_epochs=1, device="cpu")
    drawn = next(
        c
        for c in sample(space.configuration_space, 50, np.random.default_rng(0))
        if c["architecture:operation"] == "convolution"
    )
    final = retrain(training, drawn, seeds=(0,))
    assert final.epochs == 1
    assert 0 <= final.mean <= 1


@pytest.mark.parametrize("seeds", [(), (1, 1)])
def test_seeds_are_needed_once(seeds: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="give one or more, each once"):
        retrain(TRAINING, CONVOLUTION, seeds=seeds)


def test_bad_epochs_and_architectures() -> None:
    with pytest.raises(ValueError, match="max_epochs is 0"):
        retrain(TRAINING, CONVOLUTION, epochs=0)
    with pytest.raises(InvalidArchitecture, match="no path"):
        retrain(TRAINING, SPACE.of(ZERO))


def test_networks_and_their_files_take_images_as_they_were_given(tmp_path: Path) -> None:
    labels = np.arange(60) % 2
    noise = np.random.default_rng(0).uniform(0, 600, (60, 1, 6, 6))
    late = 1.7e9 + 500 * labels[:, None, None, None] + noise  # of which float32 keeps little
    data = from_arrays(late, labels, name="seconds")
    final = retrain(replace(TRAINING, dataset=data), CONVOLUTION, epochs=6, seeds=(0,))
    assert final.mean == 0
    final.save(tmp_path, [StateDict(SPACE, CONVOLUTION), PythonFile()])
    networks = [
        final.network,
        StateDict(SPACE).load(tmp_path / "weights.pt"),
        PythonFile().load(tmp_path / "network.py"),
    ]
    for network in networks:
        with torch.no_grad():
            found = network(torch.from_numpy(late).float()).argmax(1)
        assert found.ne(torch.from_numpy(labels)).float().mean() < 0.05
    with torch.no_grad():
        exact = final.network(torch.from_numpy(late)).argmax(1)
    assert torch.equal(exact, torch.from_numpy(labels))
