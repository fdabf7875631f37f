"""A small table of our own, in the package."""

from __future__ import annotations

from spaces.cell import NASBENCH201, CellSpace

OPERATIONS = ("none", "skip_connect", "nor_conv_3x3", "avg_pool_3x3")
SPACE = CellSpace({name: NASBENCH201[name] for name in OPERATIONS}, channels=8, cells=1, stages=1)
SEEDS = (0, 1)
EPOCHS = 27
SETTINGS = {
    "batch_size": 320,
    "learning_rate": 0.3,
    "momentum": 0.9,
    "weight_decay": 5e-4,
    "warm_up": 0.05,
}
