from __future__ import annotations

import math

import pytest
import torch

from bonas.strategies.reinforcement.lstm_policy import LSTMPolicy
from bonas.strategies.reinforcement.policy import evaluate
from bonas.strategies.reinforcement.walk import PolicyError, Walk
from tests.bonas.strategies.contract import MEDIUM

ROWS = torch.tensor([[0, 0, 0], [1, 0, 0], [4, 2, 1]])


def test_it_begins_nearly_uniform() -> None:
    walk = Walk(MEDIUM.configuration_space, 2)
    logs, _ = evaluate(LSTMPolicy().start(walk), walk, ROWS)
    assert (logs + 3 * math.log(5)).abs().max().item() < 0.3


def test_what_comes_later_depends_on_what_came_before() -> None:
    walk = Walk(MEDIUM.configuration_space, 2)
    policy = LSTMPolicy(width=4, spread=1.0).start(walk)
    _, entropies = evaluate(policy, walk, ROWS)
    assert entropies[0].item() != pytest.approx(entropies[1].item(), abs=1e-6)


def test_a_step_is_that_of_torch() -> None:
    walk = Walk(MEDIUM.configuration_space, 2)
    policy = LSTMPolicy(width=4, spread=1.0).start(walk)
    start, embeddings, gates, bias, heads, biases = (p.detach() for p in policy.parameters)
    cell = torch.nn.utils.skip_init(torch.nn.LSTMCell, 4, 4, dtype=torch.float64)
    cell.weight_ih.data, cell.weight_hh.data = gates[:4].T, gates[4:].T
    cell.bias_ih.data, cell.bias_hh.data = bias, torch.zeros_like(bias)
    total = 0.0
    inputs, state = start[None], (torch.zeros(1, 4).double(), torch.zeros(1, 4).double())
    for place, own in enumerate(walk.slices):
        state = cell(inputs, state)
        logits = state[0] @ heads[own].T + biases[own]
        total += logits.log_softmax(1)[0, ROWS[2, place]].item()
        inputs = embeddings[own][ROWS[2, place]][None]
    assert evaluate(policy, walk, ROWS[2:])[0].item() == pytest.approx(total, abs=1e-12)


def test_the_seed_decides_the_initial_weights() -> None:
    walk = Walk(MEDIUM.configuration_space, 2)
    one, same, other = (LSTMPolicy(seed=seed).start(walk).parameters for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(one, same, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(one, other, strict=True))
    assert all(weights.abs().max().item() <= 0.08 for weights in one)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"width": 0}, "width of an LSTM is at least 1, not 0"),
        ({"spread": -1.0}, "from 0 on, not -1.0"),
        ({"spread": math.nan}, "from 0 on, not nan"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(PolicyError, match=message):
        LSTMPolicy(**settings)  # type: ignore[arg-type]
