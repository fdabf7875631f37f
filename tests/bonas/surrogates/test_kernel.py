"""The kernels of Gaussian processes."""

import torch

from bonas.surrogates.kernel import WIDE, GraphView
from spaces.features import Layout


def test_wide_histograms_have_the_same_angles() -> None:
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(0, 20, (30, WIDE + 50), generator=generator).clamp_min(17).double() - 17
    rows[0] = 0.0
    layout = Layout((), (slice(0, WIDE + 50), slice(0, WIDE)), slice(0, 0))
    wide = GraphView(0).squared_distances(rows[:20], rows[10:], layout)
    stacked = GraphView(0).squared_distances(rows[None, :20], rows[None, 10:], layout)[0]
    assert torch.allclose(wide, stacked)
    assert torch.allclose(wide.diagonal(-10), torch.zeros(10).double(), atol=1e-12)
