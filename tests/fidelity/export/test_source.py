from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fidelity.export.source import _wrapped, source
from fidelity.export.subject import ExportError, Subject
from spaces import families, zoo
from spaces.hierarchical.stage_space import StageSpace
from tests.fidelity.export.networks import subject


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1)
        )
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.head(x + self.branch(x))
        return logits


READABLE = '''
class Network(nn.Module):
    """From inputs (batch, 4, 6, 6) to outputs (batch, 2)."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(4, 4, 3, padding=1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 4, 1),
        )
        self.classifier = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(4, 2),
        )

    def forward(self, x):
        y = self.conv(x)  # 4 x 6 x 6
        return self.classifier(x + y)

'''


def test_reads_as_if_a_person_had_written_it() -> None:
    written = source(Subject.of(Residual(), (4, 6, 6)))
    assert READABLE in written.text
    assert "import torch.nn.functional" not in written.text
    assert next(iter(written.weights)) == "conv.0.weight"


def test_repeated_blocks_are_functions_and_equal_activations_one_attribute() -> None:
    space = StageSpace({"basic": families.BASIC}, {"small": zoo.space().stems["small"]}, (3, 3))
    configuration = space.configuration_space.get_default_configuration()
    network = space.build(configuration, (3, 16, 16), 5)
    text = source(Subject.of(network, (3, 16, 16))).text
    relus = text.count("self.relu = nn.ReLU()")
    assert relus == 1
    assert len(re.findall(r"^def ", text, re.M)) >= 1 or text.count("nn.Sequential(") < 6


def test_every_kind_of_expression_of_a_users_network() -> None:
    text = source(subject("own")).text
    for expected in (
        "F.gelu(",
        "self.gain = nn.Parameter(torch.zeros(",
        'self.register_buffer("ones", torch.zeros(',
        ".shape[0]",
        "device=x.device",
        "padding_mode='reflect'",
        ".sigmoid()",
        "nn.ReLU(inplace=True)",
    ):
        assert expected in text


class Precedence(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = (x + torch.cat([x, x + 1], 1)[:, :1]) * (x + 2) - (x + (x + 3))
        return logits.view(x.shape[0] * 2, -1)[: x.shape[0] + 1 - 1].flatten(1)


def test_sums_inside_other_expressions_keep_their_parentheses() -> None:
    network = Precedence()
    text = source(Subject.of(network, (1, 2, 2))).text
    names: dict[str, Any] = {"__file__": "network.py"}
    exec(text, names)
    images = torch.randn(3, 1, 2, 2)
    assert torch.allclose(names["Network"]()(images), network(images))
    assert ") * (" in text


def test_long_lines_are_wrapped() -> None:
    call = "    a = nn.Conv2d(" + ", ".join(f"argument{i}=(1, {i})" for i in range(12)) + "),"
    lines = _wrapped(call).splitlines()
    assert max(map(len, lines)) <= 100
    assert "".join(line.strip() for line in lines).replace(" ", "") == call.replace(" ", "")
    assert _wrapped("    short(1)") == "    short(1)"


class TwoOutputs(nn.Module):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x, x + 1


class OneSize(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.reshape(2, -1)


def test_what_has_no_file() -> None:
    with pytest.raises(ExportError, match="returns 2 values: a file of it needs exactly one"):
        source(Subject.of(TwoOutputs(), (1, 2, 2)))
    with pytest.raises(ExportError, match=r"x\.shape\[0\], not len\(x\)"):
        source(Subject.of(OneSize(), (1, 2, 2)))
    for shape in ((), (3, 8, 8, 8), (3, 0, 8)):
        with pytest.raises(ExportError, match="for images channels, height and width"):
            Subject.of(OneSize(), shape)


def test_a_subject_is_a_copy_on_the_cpu_in_evaluation_mode() -> None:
    network = Residual().double().train()
    own = Subject.of(network, (4, 6, 6))
    assert network.training
    assert not own.network.training
    assert next(own.network.parameters()).dtype is torch.float32
    assert next(network.parameters()).dtype is torch.float64
    assert own.outputs == 2
