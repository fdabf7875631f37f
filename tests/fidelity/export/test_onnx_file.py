from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from fidelity.export import OnnxFile
from spaces.space import Space
from tests.fidelity.export.contract import FormatContract
from tests.fidelity.export.networks import subject

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")


class TestOnnxFile(FormatContract):
    @staticmethod
    def make_format(name: str) -> OnnxFile:
        return OnnxFile()

    @staticmethod
    def of_space(space: Space, name: str) -> OnnxFile:
        return OnnxFile()


def test_input_and_output_have_names_and_any_batch(tmp_path: Path) -> None:
    import onnxruntime

    OnnxFile("own.onnx").save(subject("hierarchical"), tmp_path)
    session = onnxruntime.InferenceSession(str(tmp_path / "own.onnx"))
    (inputs,), (outputs,) = session.get_inputs(), session.get_outputs()
    assert (inputs.name, outputs.name) == ("inputs", "outputs")
    assert isinstance(inputs.shape[0], str)
    assert inputs.shape[1:] == [1, 8, 8]


@pytest.mark.parametrize("name", ["language", "rotary"])
def test_transformers_read_sequences_of_any_length(name: str, tmp_path: Path) -> None:
    one = subject(name)
    OnnxFile("any.onnx").save(one, tmp_path)
    back = OnnxFile().load(tmp_path / "any.onnx")
    for batch, length in ((1, 1), (3, 5), (2, 20)):
        inputs = torch.randint(5, (batch, length))
        torch.testing.assert_close(back(inputs), one.network(inputs), atol=1e-5, rtol=1e-5)


def test_the_exporter_is_silent_about_torchvision(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    OnnxFile().save(subject("hierarchical"), tmp_path)
    printed = "".join(capfd.readouterr())
    assert "torchvision" not in printed + caplog.text


def test_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for missing in ("onnxscript", "onnxruntime"):
        monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"pip install 'bonas\[onnx\]'"):
        OnnxFile().save(subject("hierarchical"), tmp_path)
    with pytest.raises(ImportError, match=r"pip install 'bonas\[onnx\]'"):
        OnnxFile().load(tmp_path / "network.onnx")
