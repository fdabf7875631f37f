"""What every zero-cost proxy must do; its tests inherit from `ProxyContract`."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from fidelity.proxies.proxy import Batch, Proxy
from fidelity.tasks import Classification


def network(seed: int = 0, width: int = 4, channels: int = 3, dropout: float = 0.3) -> nn.Module:
    """Convolutions, normalisation, rectifiers, dropout, pooling and a classifier of 3 classes."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(width, 3),
        )


def batch(size: int = 8, seed: int = 0) -> Batch:
    """Noise with labels of three classes."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(size, 3, 6, 6, generator=generator)
    losses = Classification().criterion(torch.arange(3)).losses
    return Batch(images, torch.arange(size) % 3, losses)


def score(proxy: Proxy, scored: nn.Module, seed: int = 0) -> float:
    """On `batch()`."""
    return proxy(scored, batch(), torch.Generator().manual_seed(seed))


class ProxyContract:
    """Inherited whole; override `proxy`."""

    def proxy(self) -> Proxy:
        """A fresh object."""
        raise NotImplementedError

    def test_a_score_is_a_finite_number(self) -> None:
        found = score(self.proxy(), network())
        assert type(found) is float
        assert math.isfinite(found)

    @pytest.mark.parametrize("training", [True, False])
    def test_the_network_and_the_batch_are_left_as_they_were(self, training: bool) -> None:
        scored = network().train(training)
        scored[0].weight.requires_grad_(False)
        examples = batch()
        scored(examples.inputs).sum().backward()
        before = {name: value.clone() for name, value in scored.state_dict().items()}
        gradients = {n: p.grad.clone() for n, p in scored.named_parameters() if p.grad is not None}
        self.proxy()(scored, examples, torch.Generator())
        assert scored.training is training
        assert all(module.training is training for module in scored.modules())
        assert all(torch.equal(v, before[name]) for name, v in scored.state_dict().items())
        assert not scored[0].weight.requires_grad
        assert scored[0].weight.grad is None
        assert len(gradients) > 2
        for name, parameter in scored.named_parameters():
            if name in gradients:
                assert parameter.grad is not None
                assert torch.equal(parameter.grad, gradients[name])
        assert torch.equal(examples.inputs, batch().inputs)
        assert not examples.inputs.requires_grad
        assert not any(m._forward_hooks or m._forward_pre_hooks for m in scored.modules())

    def test_no_other_randomness_than_the_generator_is_used(self) -> None:
        before = torch.get_rng_state()
        scores = [score(self.proxy(), network()) for _ in range(2)]
        assert scores[0] == scores[1]
        assert torch.equal(torch.get_rng_state(), before)

    def test_it_works_where_gradients_are_switched_off(self) -> None:
        with torch.no_grad():
            found = score(self.proxy(), network())
        assert found == score(self.proxy(), network())

    def test_equal_proxies_are_equal(self) -> None:
        assert self.proxy() == self.proxy()
