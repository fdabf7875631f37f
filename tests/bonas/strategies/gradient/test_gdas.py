from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from bonas.strategies.gradient.gdas import GDAS
from bonas.strategies.gradient.gradient_search import TrainedSupernet
from bonas.strategies.gradient.relaxation import HardGumbel
from fidelity.history.history import History
from spaces.space import Space
from tests.bonas.strategies.contract import MEDIUM, StrategyContract
from tests.bonas.strategies.gradient.test_darts import BILEVEL, SHORT, SPACE

pytestmark = pytest.mark.filterwarnings(
    "ignore::bonas.strategies.gradient.search_trace.CollapseWarning"
)


class TestGDAS(StrategyContract):
    def strategy(self) -> GDAS:
        return Pretrained(SHORT)


class Pretrained(GDAS):
    """Trained once, to save time: that a fresh object finds the same has its own test below."""

    def train(self, space: Space) -> TrainedSupernet:
        return _trained()


@cache
def _trained() -> TrainedSupernet:
    return GDAS(SHORT).train(MEDIUM)


class TestHardGumbel:
    def test_one_operation_an_edge_drawn_in_proportion(self) -> None:
        probabilities = torch.tensor([[0.1, 0.6, 0.3], [0.8, 0.1, 0.1]])
        generator = torch.Generator().manual_seed(0)
        counts = torch.zeros(2, 3)
        for _ in range(2000):
            weights, active = HardGumbel()(probabilities.log(), 0.5, generator)
            assert active == [[int(row.argmax())] for row in weights]
            counts += weights.round()
        torch.testing.assert_close(weights.round(), weights, atol=1e-6, rtol=0)
        torch.testing.assert_close(counts / 2000, probabilities, atol=0.04, rtol=0)

    def test_the_gradient_is_that_of_the_softmax(self) -> None:
        parameters = torch.tensor([[0.3, -0.2]], requires_grad=True)
        generator = torch.Generator().manual_seed(0)
        weights, active = HardGumbel(1.0, 1.0)(parameters, 0.0, generator)
        assert active is not None
        chosen = active[0][0]
        weights[0, chosen].backward()
        noise = -torch.empty(1, 2).exponential_(generator=generator.manual_seed(0)).log()
        soft = (parameters.detach().log_softmax(-1) + noise).softmax(-1)[0, chosen]
        assert parameters.grad is not None
        assert parameters.grad[0, chosen].item() == pytest.approx((soft * (1 - soft)).item())

    def test_the_temperature_falls(self) -> None:
        generator = torch.Generator()
        slopes = []
        for progress in (0.0, 1.0):
            parameters = torch.zeros(1, 2, requires_grad=True)
            weights, active = HardGumbel()(parameters, progress, generator.manual_seed(4))
            assert active is not None
            weights[0, active[0][0]].backward()
            assert parameters.grad is not None
            slopes.append(float(parameters.grad.abs().max()))
        assert slopes[0] == pytest.approx(0.25 / 10, rel=0.05)
        assert slopes[1] != slopes[0]

    @pytest.mark.parametrize(("start", "end"), [(1.0, 0.0), (0.1, 1.0), (float("nan"), 0.1)])
    def test_impossible_temperatures(self, start: float, end: float) -> None:
        with pytest.raises(ValueError, match="it must not rise, and must stay above 0"):
            HardGumbel(start, end)


def test_architecture_parameters_move_and_the_best_is_proposed() -> None:
    strategy = GDAS(BILEVEL)
    trace = strategy.trace(SPACE)
    assert not np.array_equal(trace.parameters[0], trace.parameters[-1])
    assert np.array_equal(trace.parameters, GDAS(BILEVEL).trace(SPACE).parameters)
    history = History(SPACE.configuration_space)
    chosen = strategy.propose(SPACE, history, np.random.default_rng(0))
    assert chosen == trace.configurations[-1]
