"""The time to make a space, to draw 1,000 configurations, and to compute a key.

python benchmarks/sampling.py
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from spaces.cells.cell import CellSpace
from spaces.cells.darts import darts
from spaces.cells.node_cell import nasbench101
from spaces.hierarchical.liu2018 import liu2018
from spaces.hierarchical.macro_space import MacroSpace
from spaces.hierarchical.stage_space import StageSpace
from spaces.space import Space, sample

SPACES: dict[str, Callable[[], Space]] = {
    "NAS-Bench-201": CellSpace.nasbench201,
    "NAS-Bench-101": nasbench101,
    "DARTS": darts,
    "NAS-Bench-Macro": MacroSpace.nasbench_macro,
    "mobile": MacroSpace.mobile,
    "Liu et al. (2018)": liu2018,
    "stages": StageSpace,
}
REPEATS = 5


def main() -> None:
    """Print the fastest and the median of some repeats."""
    print(f"{'space':<20}{'choices':>8}{'make s':>9}{'1,000 samples s':>24}{'key ms':>9}")
    for name, make in SPACES.items():
        start = time.perf_counter()
        space = make()
        size = len(space.configuration_space)
        made = time.perf_counter() - start
        took = []
        for seed in range(REPEATS):
            start = time.perf_counter()
            drawn = sample(space.configuration_space, 1000, np.random.default_rng(seed))
            took.append(time.perf_counter() - start)
        start = time.perf_counter()
        for configuration in drawn[:100]:
            _ = space.architecture(configuration).key
        key = (time.perf_counter() - start) * 10
        times = f"{min(took):.3f} (median {np.median(took):.3f})"
        print(f"{name:<20}{size:>8}{made:>9.2f}{times:>24}{key:>9.1f}")


if __name__ == "__main__":
    main()
