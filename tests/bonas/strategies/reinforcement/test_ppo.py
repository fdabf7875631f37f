from __future__ import annotations

import math

import pytest
import torch

from bonas.strategies.reinforcement.lstm_policy import LSTMPolicy
from bonas.strategies.reinforcement.ppo import PPO, ClippedSurrogate
from bonas.strategies.reinforcement.walk import PolicyError
from tests.bonas.strategies.anywhere import AnywhereContract
from tests.bonas.strategies.reinforcement.policy_contract import PolicyContract


class TestPPO(PolicyContract, AnywhereContract):
    def strategy(self) -> PPO:
        return PPO(LSTMPolicy(width=8), rate=0.05, batch=4)


@pytest.mark.parametrize(
    ("ratio", "advantage", "gain", "slope"),
    [
        (1.0, 2.0, 2.0, 2.0),  # the policy gradient, where nothing has changed yet
        (1.1, 2.0, 2.2, 2.2),
        (1.5, 2.0, 2.4, 0.0),  # no more to gain
        (0.5, 2.0, 1.0, 1.0),
        (1.5, -2.0, -3.0, -3.0),
        (0.5, -2.0, -1.6, 0.0),
    ],
)
def test_the_clipped_surrogate_by_hand(
    ratio: float, advantage: float, gain: float, slope: float
) -> None:
    before = torch.tensor([-1.0])
    logs = (before + math.log(ratio)).requires_grad_()
    found = ClippedSurrogate(0.2)(logs, before, torch.tensor([advantage]))
    found.sum().backward()
    assert logs.grad is not None
    assert found.item() == pytest.approx(gain, rel=1e-5)
    assert logs.grad.item() == pytest.approx(slope, rel=1e-5)


def test_impossible_settings_are_refused_at_once() -> None:
    with pytest.raises(PolicyError, match="clip of PPO is a positive number, not 0"):
        PPO(clip=0)
    with pytest.raises(PolicyError, match="number of passes"):
        PPO(epochs=0)
    with pytest.raises(PolicyError, match="bins"):
        PPO(bins=1)
