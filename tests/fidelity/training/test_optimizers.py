from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from fidelity.training.optimizers import SGD, AdamW, TorchOptimizer

GOOD: dict[str, float] = {
    "learning_rate": 0.1,
    "momentum": 0.9,
    "weight_decay": 5e-4,
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("momentum", 1.0),
        ("momentum", -0.1),
        ("weight_decay", -1e-9),
        ("weight_decay", float("nan")),
    ],
)
def test_a_value_out_of_its_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value}: it must"):
        SGD(**(GOOD | {name: value}))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_optimizer_takes_nesterov_steps(momentum: float) -> None:
    settings = SGD(0.1, momentum, 0.01)
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 2.0)
    optimizer = settings.start(layer)
    weight, velocity = 2.0, 0.0
    for _ in range(3):
        optimizer.zero_grad()
        layer(torch.ones(1, 1)).sum().backward()
        optimizer.step()
        gradient = 1 + 0.01 * weight
        velocity = momentum * velocity + gradient
        weight -= 0.1 * (gradient + momentum * velocity)
        assert layer.weight.item() == pytest.approx(weight)


def test_frozen_parameters_are_left_out() -> None:
    network = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1).requires_grad_(False))
    (group,) = SGD(**GOOD).start(network).param_groups
    assert len(group["params"]) == 2


def test_it_falls_back_where_there_is_no_fused_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []
    sgd = torch.optim.SGD

    def unfused(parameters: Any, **settings: Any) -> torch.optim.SGD:
        if settings["fused"]:
            raise RuntimeError("`fused=True` requires all the params to be floating point")
        made.append(settings)
        return sgd(parameters, **settings)

    monkeypatch.setattr(torch.optim, "SGD", unfused)
    SGD(**GOOD).start(nn.Linear(1, 1))
    assert [settings["foreach"] for settings in made] == [True]


class TestAdamW:
    def test_takes_the_steps_of_the_paper(self) -> None:
        layer = nn.Linear(1, 1, bias=False)
        nn.init.constant_(layer.weight, 2.0)
        optimizer = AdamW(0.1, weight_decay=0.01).start(layer)
        weight, first, second = 2.0, 0.0, 0.0
        for step in range(1, 4):
            optimizer.zero_grad()
            layer(torch.full((1, 1), float(step))).sum().backward()
            optimizer.step()
            first, second = 0.9 * first + 0.1 * step, 0.999 * second + 0.001 * step**2
            direction = (first / (1 - 0.9**step)) / (second / (1 - 0.999**step)) ** 0.5
            weight -= 0.1 * (0.01 * weight + direction)
            assert layer.weight.item() == pytest.approx(weight, rel=1e-5)

    def test_is_fused(self) -> None:
        assert AdamW().start(nn.Linear(1, 1)).param_groups[0]["fused"]

    @pytest.mark.parametrize("name", ["beta1", "beta2"])
    def test_a_value_out_of_its_range_is_refused(self, name: str) -> None:
        with pytest.raises(ValueError, match=f"{name} is 1.0: it must be in"):
            AdamW(**{name: 1.0})


class TestTorchOptimizer:
    def test_makes_any_optimizer_of_torch(self) -> None:
        settings = TorchOptimizer(torch.optim.RMSprop, 0.1, {"momentum": 0.5})
        optimizer = settings.start(nn.Linear(1, 1))
        assert isinstance(optimizer, torch.optim.RMSprop)
        assert optimizer.param_groups[0]["lr"] == 0.1
        assert optimizer.param_groups[0]["momentum"] == 0.5

    def test_an_unknown_argument_is_refused_at_once(self) -> None:
        with pytest.raises(ValueError, match="RMSprop has no argument moment: its arguments are"):
            TorchOptimizer(torch.optim.RMSprop, 0.1, {"moment": 0.5})

    def test_what_is_no_class_of_optimizers_is_refused(self) -> None:
        with pytest.raises(TypeError, match=r"expected a class such as torch\.optim\.NAdam"):
            TorchOptimizer("adam", 0.1)  # type: ignore[arg-type]


def test_a_learning_rate_that_is_no_number_is_refused() -> None:
    with pytest.raises(TypeError, match="learning_rate is 'fast': expected a number"):
        SGD("fast")  # type: ignore[arg-type]
