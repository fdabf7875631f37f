from __future__ import annotations

import pytest
import torch

from fidelity.training.seeding import seeded

CPU = torch.device("cpu")


def test_inside_it_is_the_seed_and_outside_as_before() -> None:
    torch.manual_seed(7)
    state = torch.get_rng_state()
    drawn = []
    for seed in (3, 3, 4):
        with seeded(CPU, seed):
            drawn.append(torch.rand(4))
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert torch.equal(torch.get_rng_state(), state)


def test_after_an_error_too() -> None:
    state = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError), seeded(CPU, 1):
        torch.rand(1).div_(1 / 0)
    assert torch.equal(torch.get_rng_state(), state)
