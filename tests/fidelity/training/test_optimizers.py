from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from fidelity.training.optimizers import CosineSGD

GOOD: dict[str, float] = {
    "learning_rate": 0.1,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "warm_up": 0.1,
}


def test_rises_then_falls_as_a_cosine() -> None:
    rates = [CosineSGD(**GOOD).rate(step, 20) for step in range(20)]
    assert rates[:2] == pytest.approx([0.05, 0.1])
    assert rates[2] == pytest.approx(0.1)
    assert rates[11] == pytest.approx(0.05)  # half way down
    assert rates[-1] == pytest.approx(0.1 * (1 - 0.98480775) / 2)


@given(steps=st.integers(1, 500), warm_up=st.floats(0, 0.99))
def test_has_one_peak_and_stays_positive(steps: int, warm_up: float) -> None:
    schedule = CosineSGD(0.1, 0.9, 0.0, warm_up)
    rates = [schedule.rate(step, steps) for step in range(steps)]
    assert all(0 < rate <= 0.1 for rate in rates)
    peak = rates.index(max(rates))
    assert rates[peak] == pytest.approx(0.1)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)


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
        ("warm_up", 1.0),
        ("warm_up", float("nan")),
    ],
)
def test_a_value_out_of_its_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value}: it must"):
        CosineSGD(**(GOOD | {name: value}))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_the_optimizer_takes_nesterov_steps(momentum: float) -> None:
    settings = CosineSGD(0.1, momentum, 0.01, 0.0)
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, 2.0)
    optimizer = settings.optimizer(layer)
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
    (group,) = CosineSGD(**GOOD).optimizer(network).param_groups
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
    CosineSGD(**GOOD).optimizer(nn.Linear(1, 1))
    assert [settings["foreach"] for settings in made] == [True]
