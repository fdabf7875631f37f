from __future__ import annotations

import pytest
import torch
from torch import nn

from fidelity.export.constructors import constructor
from tests.fidelity.export.networks import OwnNetwork


@pytest.mark.parametrize(
    ("module", "line"),
    [
        (nn.Conv2d(3, 8, 3), "nn.Conv2d(3, 8, 3)"),
        (nn.Conv2d(4, 8, (1, 7), 2, (0, 3), bias=False),
         "nn.Conv2d(4, 8, (1, 7), stride=2, padding=(0, 3), bias=False)"),
        (nn.Conv1d(4, 8, 7, padding=3), "nn.Conv1d(4, 8, 7, padding=3)"),
        (nn.AvgPool1d(3, 1, 1), "nn.AvgPool1d(3, stride=1, padding=1)"),
        (nn.AdaptiveAvgPool1d(1), "nn.AdaptiveAvgPool1d(1)"),
        (nn.BatchNorm2d(8), "nn.BatchNorm2d(8)"),
        (nn.BatchNorm2d(8, momentum=None), "nn.BatchNorm2d(8, momentum=None)"),
        (nn.MaxPool2d(3, 2, 1), "nn.MaxPool2d(3, stride=2, padding=1)"),
        (nn.AvgPool2d(3, 1, 1, count_include_pad=False),
         "nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)"),
        (nn.AdaptiveAvgPool2d((1, 1)), "nn.AdaptiveAvgPool2d(1)"),
        (nn.ReLU(inplace=True), "nn.ReLU(inplace=True)"),
        (nn.Linear(3, 4, bias=False), "nn.Linear(3, 4, bias=False)"),
        (nn.LayerNorm((4, 4)), "nn.LayerNorm((4, 4))"),
        (nn.GELU("tanh"), "nn.GELU(approximate='tanh')"),
        (nn.Dropout(0.2), "nn.Dropout(p=0.2)"),
    ],
)  # fmt: skip
def test_lines(module: nn.Module, line: str) -> None:
    assert constructor(module) == line
    made = eval(line, {"nn": nn})
    assert type(made) is type(module)
    shapes = {name: value.shape for name, value in module.state_dict().items()}
    assert {name: value.shape for name, value in made.state_dict().items()} == shapes


def test_what_has_no_line() -> None:
    hooked = nn.ReLU()
    hooked.register_forward_hook(lambda *_: None)
    parametrised = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    for module in (nn.Sequential(nn.ReLU()), OwnNetwork(3, 4, 2), hooked, parametrised):
        assert constructor(module) is None
    assert constructor(nn.CrossEntropyLoss(weight=torch.ones(2))) is None
