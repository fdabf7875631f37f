from __future__ import annotations

from typing import Any

from torch import nn

from fidelity.export.repeats import repeats

CONVOLUTIONS = {
    f"conv{i}": [
        "nn.ReLU()",
        f"nn.Conv2d({a}, {b}, {k}, padding={k // 2}, bias=False)",
        f"nn.BatchNorm2d({b}, eps=1e-05)",
    ]
    for i, (a, b, k) in enumerate([(3, 8, 3), (8, 8, 3), (8, 16, 5), (16, 8, 3)], start=1)
}


def test_the_numbers_that_differ_are_arguments() -> None:
    found = repeats(CONVOLUTIONS)
    text = "\n".join(found.functions)
    assert "def relu_conv_norm(in_channels, out_channels, kernel_size, padding):" in text
    assert found.calls["conv3"] == (
        "relu_conv_norm(in_channels=8, out_channels=16, kernel_size=5, padding=2)"
    )
    names: dict[str, Any] = {"nn": nn}
    exec(text, names)
    for attribute, lines in CONVOLUTIONS.items():
        made = eval(found.calls[attribute], names)
        assert str(made) == str(nn.Sequential(*(eval(line, {"nn": nn}) for line in lines)))


def test_equal_numbers_are_one_argument() -> None:
    sequences = {
        f"a{c}": [f"nn.Conv2d({c}, {c}, 3, groups={c})", f"nn.BatchNorm2d({c})"] for c in (2, 4, 8)
    }
    found = repeats(sequences)
    assert found.functions[0] == "def conv_norm(in_channels):"
    assert found.calls["a4"] == "conv_norm(4)"


def test_what_is_rare_stays_where_it_is() -> None:
    few = {name: CONVOLUTIONS[name] for name in ("conv1", "conv2")}
    found = repeats(few | {"other": ["nn.ReLU()", "nn.Flatten(1)"]})
    assert not found.calls
    assert not found.functions


def test_other_settings_are_another_function() -> None:
    strided = {
        name.replace("conv", "pool"): ["nn.ReLU()", "nn.ReLU()", "nn.ReLU()", f"nn.MaxPool2d({i})"]
        for i, name in enumerate(CONVOLUTIONS, start=2)
    }
    found = repeats(CONVOLUTIONS | strided)
    assert found.calls["pool1"] == "block(2)"
    assert sum(line.startswith("def ") for line in found.functions) == 2
