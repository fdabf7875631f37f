"""On a problem of which the derivatives are known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from bonas.strategies.gradient.hypergradient import FirstOrder, SecondOrder, Step

ALPHA, WEIGHT, RATE, DECAY = 0.7, 1.5, 0.1, 0.2


def problem() -> tuple[Step, Tensor, nn.Parameter]:
    """Training loss a²w² / 2, held-out loss (aw - 1)²."""
    alpha = torch.tensor([[ALPHA]], dtype=torch.float64, requires_grad=True)
    weight = nn.Parameter(torch.tensor([WEIGHT], dtype=torch.float64))
    step = Step(
        alpha,
        [weight],
        train=lambda: (alpha**2 * weight**2 / 2).sum(),
        validation=lambda: ((alpha * weight - 1) ** 2).sum(),
        rate=RATE,
        decay=DECAY,
    )
    return step, alpha, weight


def test_first_order_is_the_partial_derivative() -> None:
    step, _, _ = problem()
    loss, gradient = FirstOrder()(step)
    assert loss.item() == pytest.approx((ALPHA * WEIGHT - 1) ** 2)
    assert gradient.item() == pytest.approx(2 * (ALPHA * WEIGHT - 1) * WEIGHT)


def test_second_order_is_the_derivative_through_one_step() -> None:
    step, alpha, weight = problem()
    _, gradient = SecondOrder()(step)
    moved = WEIGHT - RATE * (ALPHA**2 * WEIGHT + DECAY * WEIGHT)
    outer = 2 * (ALPHA * moved - 1)
    # The chain rule: d moved / d alpha = -rate * 2 * alpha * weight.
    exact = outer * moved + outer * ALPHA * (-RATE * 2 * ALPHA * WEIGHT)
    assert gradient.item() == pytest.approx(exact, rel=1e-6)
    assert weight.item() == WEIGHT
    assert alpha.grad is None


def test_second_order_where_the_held_out_loss_does_not_depend_on_the_weights() -> None:
    alpha = torch.tensor([[ALPHA]], requires_grad=True)
    weight = nn.Parameter(torch.tensor([WEIGHT]))
    step = Step(alpha, [weight], lambda: (alpha * weight).sum(), lambda: (alpha**2).sum(), 0.1, 0)
    _, gradient = SecondOrder()(step)
    assert gradient.item() == pytest.approx(2 * ALPHA)
