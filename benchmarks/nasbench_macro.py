"""The strategies and peers of `nasbench201.py` on NAS-Bench-Macro, side by side.

    python benchmarks/nasbench_macro.py                       # everything that is installed
    python benchmarks/nasbench_macro.py --seeds 5 "SMAC3"     # one of them
    python benchmarks/nasbench_macro.py --report              # only table and plot

The same protocol on 6,561 chains of mobile blocks (Su et al. 2021): a query returns one of the
three test accuracies of a network, the only ones that the file holds. The 6,561 configurations are
3,969 different networks, because an identity before a block of the same shape or behind it makes
the same network. Nothing was chosen on this table: all settings are those of `nasbench201.py`. The
file is nas-bench-macro_cifar10.json of https://github.com/xiusu/NAS-Bench-Macro.

Every seed is written to results/nasbench_macro.csv; recorded seeds are not run again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from operator import attrgetter
from pathlib import Path

import numpy as np
from ablations import RESULTS, Table
from nasbench201 import GRID, PEERS, Truth, one_thread, run
from nasbench201_report import report
from peers.bananas import BANANAS
from peers.peer import FlatSpace, Peer

from spaces.hierarchical.macro_space import MACRO_CODES, MacroSpace

DATA = Path(__file__).parents[2] / "shared" / "data" / "nasbench_macro_cifar10.json"
CONTESTANTS: Mapping[str, Peer] = {
    **PEERS,
    "BANANAS, one-hot": BANANAS(encoding=attrgetter("choices")),
}


def load(space: MacroSpace, path: Path) -> Table:
    """The table; its runs are test accuracies.

    Args:
        space: `MacroSpace.nasbench_macro()`.
        path: of the file of the benchmark.

    Raises:
        FileNotFoundError: there is no such file.
    """
    runs = {
        space.from_code(code).get_array().tobytes(): entry["test_acc"]
        for code, entry in json.loads(path.read_text(encoding="utf-8")).items()
    }
    return Table(runs, max(float(np.mean(values)) for values in runs.values()))


def main() -> None:
    """Run the requested searches, then write table and plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help=f"of: {'; '.join(CONTESTANTS)}")
    parser.add_argument("--data", type=Path, default=DATA, help="the file of the benchmark")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--evaluations", type=int, default=GRID[-1], help="of each search")
    parser.add_argument("--report", action="store_true", help="only table and plot")
    arguments = parser.parse_args()
    for name in set(arguments.names) - set(CONTESTANTS):
        parser.error(f"there is no peer {name!r}; there are: {'; '.join(CONTESTANTS)}")
    one_thread()
    target = RESULTS / "nasbench_macro.csv"
    if not arguments.report:
        space = MacroSpace.nasbench_macro()
        flat = FlatSpace(space, dict.fromkeys(space.configuration_space, MACRO_CODES))
        truth = Truth(flat, load(space, arguments.data))
        for name in arguments.names or CONTESTANTS:
            peer = CONTESTANTS[name]
            run(name, peer, target, truth, arguments.seeds, arguments.evaluations)
    print(report("NAS-Bench-Macro", {"CIFAR-10": target}, target.with_suffix(".md")))


if __name__ == "__main__":
    main()
