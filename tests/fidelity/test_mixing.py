from __future__ import annotations

import pytest
import torch

from fidelity.mixing import CutMix, Mixing, Mixup


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("mixing", [Mixup(), CutMix(), Mixup(2.0)])
def test_a_batch_keeps_its_shape_and_its_mean(mixing: Mixing) -> None:
    images = torch.rand(32, 3, 8, 8, generator=generator())
    mixed = mixing(images, generator(1))
    assert mixed.inputs.shape == images.shape
    assert sorted(mixed.partners.tolist()) == list(range(32))
    assert mixed.shares.shape == (32,)
    assert ((mixed.shares >= 0) & (mixed.shares <= 1)).all()
    assert torch.allclose(mixed.inputs.mean(0), images.mean(0), atol=1e-6)
    assert torch.equal(mixing(images, generator(1)).inputs, mixed.inputs)


def test_mixup_is_a_weighted_mean() -> None:
    rows = torch.rand(10, 4, generator=generator())
    mixed = Mixup(1.0)(rows, generator(2))
    share = mixed.shares[0]
    assert torch.allclose(mixed.inputs, share * rows + (1 - share) * rows[mixed.partners])


def test_cutmix_keeps_the_share_that_it_names() -> None:
    images = torch.arange(8.0)[:, None, None, None].expand(8, 1, 12, 10)
    for seed in range(20):
        mixed = CutMix()(images, generator(seed))
        own = (mixed.inputs == images).float().mean((1, 2, 3))
        moved = mixed.partners != torch.arange(8)
        assert torch.allclose(own[moved], mixed.shares[moved])


def test_the_weights_follow_a_beta_distribution() -> None:
    rows = torch.zeros(2, 1)
    for alpha in (0.2, 1.0, 2.0):
        source = generator()
        shares = torch.stack([Mixup(alpha)(rows, source).shares[0] for _ in range(2000)])
        assert float(shares.mean()) == pytest.approx(0.5, abs=0.03)
        variance = 1 / (4 * (2 * alpha + 1))  # of Beta(alpha, alpha)
        assert float(shares.var()) == pytest.approx(variance, rel=0.1)


@pytest.mark.parametrize("alpha", [0.0, -1.0, 2.5, float("nan")])
def test_an_alpha_out_of_range_is_refused(alpha: float) -> None:
    with pytest.raises(ValueError, match=f"alpha is {alpha}"):
        Mixup(alpha)
    with pytest.raises(ValueError, match=f"alpha is {alpha}"):
        CutMix(alpha)


def test_cutmix_needs_images() -> None:
    with pytest.raises(ValueError, match=r"shape \(4, 3\): use Mixup"):
        CutMix()(torch.zeros(4, 3), generator())
