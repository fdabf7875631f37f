"""Networks for images keep their initial weights and outputs from one version to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from spaces.cells.cell import CellSpace
from spaces.cells.darts import darts
from spaces.cells.node_cell import nasbench101
from spaces.hierarchical.liu2018 import liu2018
from spaces.hierarchical.macro_space import MacroSpace
from spaces.hierarchical.stage_space import StageSpace
from spaces.perceptrons import Perceptrons
from spaces.space import Space, sample
from spaces.weight_sharing import supernet

SHAPE = (3, 13, 10)
OUTPUTS = 4
CELLS = CellSpace.nasbench201(channels=4, cells=1)
AUXILIARY = StageSpace(stages=(2, 3), depth=(1, 2), auxiliary=True)


def drawn(space: Space, number: int = 0) -> nn.Module:
    """Return the network of one of the connected samples of a space."""
    samples = sample(space.configuration_space, 20, np.random.default_rng(0))
    connected = [one for one in samples if space.architecture(one).connected]
    torch.manual_seed(0)
    return space.build(connected[number], SHAPE, OUTPUTS)


def shared() -> nn.Module:
    """Return a supernet as a module of one path."""
    torch.manual_seed(0)
    every = supernet(CELLS, SHAPE, OUTPUTS)
    path = CELLS.from_string(
        "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
    )

    class Path(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.supernet = every

        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return every.path(images, path)

    return Path()


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "nasbench201": lambda: drawn(CELLS),
    "supernet": shared,
    "nasbench101": lambda: drawn(nasbench101(channels=8, cells=1)),
    "darts": lambda: drawn(darts(channels=4, cells=3)),
    "nasbench_macro": lambda: drawn(MacroSpace.nasbench_macro()),
    "mobile": lambda: drawn(MacroSpace.mobile(scale=0.25)),
    "liu2018": lambda: drawn(liu2018(widths=(4, 8))),
    "stages": lambda: drawn(StageSpace(stages=(1, 2), depth=(1, 2)), 1),
    "auxiliary": lambda: drawn(AUXILIARY, 2),
    "perceptrons": lambda: drawn(Perceptrons()),
}
PINNED: dict[str, tuple[str, tuple[float, ...]]] = {
    "nasbench201": ("c64d6e49c8aa0c61", (-0.053637, -0.001983, -0.129209, -0.048272)),
    "supernet": ("d9a1516c581ffb1f", (-0.032723, 0.022084, -0.056051, -0.103752)),
    "nasbench101": ("556aeb1a3457333d", (0.023557, 0.084076, 0.077533, 0.187837)),
    "darts": ("aa7b47d601a8fe6f", (0.013973, -0.126669, -0.10911, -0.123783)),
    "nasbench_macro": ("b3ac244c43b3359f", (-0.01211, 0.021914, -0.017279, -0.006581)),
    "mobile": ("4541d1dd6b6784c5", (-0.005086, 0.015387, 0.007814, 0.020438)),
    "liu2018": ("e4d1e963b6762e4e", (34.151855, -16.29541, 46.398174, 43.260036)),
    "stages": ("aeaa39c333d5f2ed", (0.068993, 0.053839, -0.076871, -0.004813)),
    "auxiliary": ("e2ae10b91f91bf28", (-0.004127, -0.025046, -0.007619, -0.07274)),
    "perceptrons": ("7bc5a1e47178b936", (0.027042, 0.29427, -0.141418, -0.16006)),
}


def digest(network: nn.Module) -> str:
    """Return a hash of the names and the bits of all weights and buffers."""
    state = hashlib.sha256()
    for name, tensor in network.state_dict().items():
        state.update(name.encode())
        state.update(tensor.contiguous().numpy().tobytes())
    return state.hexdigest()[:16]


def logits(network: nn.Module) -> list[float]:
    """Return the logits of one image, after one batch has moved the normalisation."""
    images = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        network.train()(images)
        result: list[float] = network.eval()(images)[0].tolist()
    return result


@pytest.mark.parametrize("name", NETWORKS)
def test_a_seed_gives_the_network_that_it_gave_in_earlier_versions(name: str) -> None:
    network = NETWORKS[name]()
    weights, outputs = PINNED[name]
    assert digest(network) == weights
    torch.manual_seed(0)  # for dropout
    # The order of additions in a convolution depends on the processor.
    assert logits(network) == pytest.approx(outputs, rel=1e-3, abs=1e-4)
