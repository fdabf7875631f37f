from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest
import torch

from bonas.strategies.gradient.drnas import DrNAS
from bonas.strategies.gradient.gradient_search import TrainedSupernet
from bonas.strategies.gradient.relaxation import Dirichlet
from spaces import operations
from spaces.cells.cell import CellSpace
from spaces.space import Space
from tests.bonas.strategies.contract import MEDIUM, StrategyContract
from tests.bonas.strategies.gradient.test_darts import BILEVEL, SHORT, SPACE

pytestmark = pytest.mark.filterwarnings(
    "ignore::bonas.strategies.gradient.search_trace.CollapseWarning"
)


class TestDrNAS(StrategyContract):
    def strategy(self) -> DrNAS:
        return Pretrained(SHORT)


class Pretrained(DrNAS):
    """Trained once, to save time."""

    def train(self, space: Space) -> TrainedSupernet:
        return _trained()


@cache
def _trained() -> TrainedSupernet:
    return DrNAS(SHORT).train(MEDIUM)


class TestDirichlet:
    def test_weights_are_drawn_around_the_normalised_concentrations(self) -> None:
        parameters = torch.tensor([[1.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
        generator = torch.Generator().manual_seed(0)
        draws = torch.stack([Dirichlet()(parameters, 0.5, generator)[0] for _ in range(2000)])
        torch.testing.assert_close(draws.sum(-1), torch.ones(2000, 2))
        concentration = torch.nn.functional.elu(parameters) + 1
        mean = concentration / concentration.sum(-1, keepdim=True)
        torch.testing.assert_close(draws.mean(0), mean, atol=0.02, rtol=0)

    def test_a_gradient_flows_through_the_draw(self) -> None:
        parameters = torch.zeros(1, 3, requires_grad=True)
        weights, active = Dirichlet()(parameters, 0.0, torch.Generator().manual_seed(0))
        weights[0, 0].backward()
        assert active is None
        assert parameters.grad is not None
        assert parameters.grad[0, 0] > 0
        assert (parameters.grad[0, 1:] < 0).all()

    def test_the_generator_is_the_only_source_of_randomness(self) -> None:
        parameters, state = torch.zeros(2, 3), torch.get_rng_state()
        draws = []
        for seed, other in ((0, 1), (0, 2), (1, 1)):
            torch.manual_seed(other)
            draws.append(Dirichlet()(parameters, 0.0, torch.Generator().manual_seed(seed))[0])
        torch.set_rng_state(state)
        assert torch.equal(draws[0], draws[1])
        assert not torch.equal(draws[0], draws[2])

    @pytest.mark.parametrize("parameter", [-200.0, -20.0, 200.0])
    def test_weights_and_gradients_stay_finite_far_out(self, parameter: float) -> None:
        parameters = torch.tensor([[parameter, 0.0]], requires_grad=True)
        generator = torch.Generator().manual_seed(0)
        weights, _ = Dirichlet()(parameters, 0.0, generator)
        weights[0, 0].backward()
        assert weights.isfinite().all()
        assert parameters.grad is not None
        assert parameters.grad.isfinite().all()


def test_an_operation_that_helps_is_preferred_to_one_that_disturbs() -> None:
    def noise(channels_in: int, channels_out: int, stride: int) -> torch.nn.Module:
        return torch.nn.Dropout(0.9)

    space = CellSpace(
        {"noise": noise, "conv": operations.relu_conv_bn(3)}, 2, channels=4, cells=1, stages=1
    )
    trace = DrNAS(dataclasses.replace(BILEVEL, epochs=12)).trace(space)
    assert trace.probabilities()[-1, 0, trace.operations.index("conv")] > 0.6


def test_the_seed_is_the_only_randomness() -> None:
    traces = [DrNAS(BILEVEL).trace(SPACE) for _ in range(2)]
    assert np.array_equal(traces[0].parameters, traces[1].parameters)
    other = DrNAS(dataclasses.replace(BILEVEL, seed=1)).trace(SPACE)
    assert not np.array_equal(traces[0].parameters, other.parameters)
