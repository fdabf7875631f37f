import torch

from bonas.strategies.reinforcement.logits_policy import LogitsPolicy
from bonas.strategies.reinforcement.policy import evaluate
from bonas.strategies.reinforcement.walk import Walk
from tests.bonas.strategies.contract import MEDIUM


def test_it_begins_uniform() -> None:
    walk = Walk(MEDIUM.configuration_space, 2)
    rows = torch.tensor([[0, 0, 0], [4, 2, 1]])
    logs, entropies = evaluate(LogitsPolicy().start(walk), walk, rows)
    uniform = 3 * torch.log(torch.tensor(5.0, dtype=torch.float64))
    assert torch.allclose(logs, -uniform)
    assert torch.allclose(entropies, uniform)


def test_each_decision_has_logits_of_its_own() -> None:
    walk = Walk(MEDIUM.configuration_space, 2)
    (logits,) = LogitsPolicy().start(walk).parameters
    assert logits.shape == (15,)
