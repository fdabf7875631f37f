from __future__ import annotations

import math

import pytest
import torch
from sklearn import metrics
from torch import Tensor

from fidelity.tasks import DataError, NextToken, Task
from fidelity.tasks.next_token import COSTS
from tests.fidelity.tasks.contract import TaskContract


class TestNextToken(TaskContract):
    def tasks(self) -> list[Task]:
        return [NextToken(5, cost) for cost in COSTS]

    def data(self, size: int = 20, seed: int = 0) -> tuple[Tensor, Tensor, tuple[int, ...]]:
        generator = torch.Generator().manual_seed(seed)
        outputs = torch.randn(size, 5, 7, generator=generator)
        return outputs, torch.randint(5, (size, 7), generator=generator), (7,)

    def test_metrics_are_those_of_scikit_learn(self) -> None:
        outputs, targets, _ = self.data()
        tally = NextToken(5).criterion(targets).tally()
        tally.add(outputs, targets)
        probabilities = outputs.double().softmax(1).movedim(1, 2).reshape(-1, 5)
        nats = metrics.log_loss(targets.flatten(), probabilities)
        assert tally.metrics()["bits_per_token"] == pytest.approx(nats / math.log(2), abs=1e-6)
        wrong = (outputs.argmax(1) != targets).float().mean()
        assert tally.metrics()["error"] == pytest.approx(float(wrong))


def test_a_network_that_knows_nothing_needs_all_bits() -> None:
    tally = NextToken(8).criterion(torch.zeros(1)).tally()
    tally.add(torch.zeros(3, 8, 4), torch.zeros(3, 4).long())
    assert tally.cost() == pytest.approx(3)


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (torch.zeros(4, 6).long(), r"of shape \(4, 6\), the inputs sequences of length \(7,\)"),
        (torch.full((4, 7), 5), "tokens from 5 to 5, but a vocabulary of 5 has those from 0 to 4"),
        (torch.zeros(4, 7), "torch.float32 .* expected the integer tokens"),
    ],
)
def test_wrong_tokens_are_refused(tokens: Tensor, message: str) -> None:
    with pytest.raises(DataError, match=message):
        NextToken(5).check({"training": tokens}, (7,))


def test_a_single_token_is_no_vocabulary() -> None:
    with pytest.raises(ValueError, match="the vocabulary is 1"):
        NextToken(1)
