"""The kernels of Gaussian processes."""

import pytest
import torch

from bonas.surrogates.kernel import (
    SPARSE_ABOVE_COLUMNS,
    Distances,
    GraphView,
    Hyperparameters,
    log_evidence,
)
from spaces.encoding import Layout


def test_wide_histograms_have_the_same_angles() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = (
        torch.randint(0, 20, (30, SPARSE_ABOVE_COLUMNS + 50), generator=generator)
        .clamp_min(17)
        .double()
        - 17
    )
    rows[0] = 0.0
    layout = Layout(
        (), (slice(0, SPARSE_ABOVE_COLUMNS + 50), slice(0, SPARSE_ABOVE_COLUMNS)), slice(0, 0)
    )
    wide = GraphView(0).squared_distances(rows[:20], rows[10:], layout)
    stacked = GraphView(0).squared_distances(rows[None, :20], rows[None, 10:], layout)[0]
    assert torch.allclose(wide, stacked)
    assert torch.allclose(wide.diagonal(-10), torch.zeros(10).double(), atol=1e-12)


def test_a_mean_that_is_integrated_out_may_have_any_coefficients() -> None:
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(30, 2, generator=generator, dtype=torch.float64)
    distances = Distances([(points[:, None] - points).square().sum(-1)])
    basis = torch.cat([torch.ones(30, 1, dtype=torch.float64), points[:, :1]], 1)
    values = torch.randn(30, generator=generator, dtype=torch.float64)
    moved = values + basis @ torch.tensor([3.0, -7.0], dtype=torch.float64)
    chosen = Hyperparameters((1.0,), (1.0,), 1e-2)
    found = log_evidence(distances, values, chosen, basis)
    assert log_evidence(distances, moved, chosen, basis) == pytest.approx(found, abs=1e-3)
    assert log_evidence(distances, moved, chosen) < found
