from __future__ import annotations

import pytest
import torch

from bonas.strategies.reinforcement.lstm_policy import LSTMPolicy
from bonas.strategies.reinforcement.reinforce import Reinforce, score_function
from bonas.strategies.reinforcement.walk import PolicyError
from tests.bonas.strategies.anywhere import AnywhereContract
from tests.bonas.strategies.reinforcement.policy_contract import PolicyContract


class TestReinforce(PolicyContract, AnywhereContract):
    def strategy(self) -> Reinforce:
        return Reinforce(LSTMPolicy(width=8), rate=0.1, batch=2)


def test_the_gradient_is_the_advantage() -> None:
    logs = torch.tensor([-1.0, -2.0], requires_grad=True)
    score_function(logs, logs.detach(), torch.tensor([3.0, -4.0])).sum().backward()
    assert logs.grad is not None
    assert logs.grad.tolist() == [3.0, -4.0]


def test_impossible_settings_are_refused_at_once() -> None:
    with pytest.raises(PolicyError, match="learning rate"):
        Reinforce(rate=-1.0)
    with pytest.raises(PolicyError, match="batch"):
        Reinforce(batch=0)
    with pytest.raises(PolicyError, match="bins"):
        Reinforce(bins=1)
