"""Parameters and multiply-adds of 1,000 samples of the space of small networks.

python benchmarks/space_sizes.py           # writes benchmarks/results/space_sizes.{csv,md}
python benchmarks/space_sizes.py --quick   # 20 samples, prints only
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from ConfigSpace import Configuration
from ConfigSpace.hyperparameters import OrdinalHyperparameter, UniformIntegerHyperparameter

from spaces.hierarchical.macro_space import MacroSpace
from spaces.resources.resources import count_resources
from spaces.space import InputShape, sample
from spaces.space import configuration as configuration_of

RESULTS = Path(__file__).parent / "results" / "space_sizes"
SHAPES: tuple[InputShape, ...] = ((1, 28, 28), (3, 32, 32), (1, 40))
CLASSES = 10
QUARTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
COUNTS = ("parameters", "multiply_adds")


def counted(space: MacroSpace, configuration: Configuration, shape: InputShape) -> list[int]:
    """Return parameters and multiply-adds of a network.

    Args:
        space: builds the network.
        configuration: of the space.
        shape: of one input.
    """
    with torch.device("meta"):
        network = space.build(configuration, shape, CLASSES)
    resources = count_resources(network, shape)
    return [getattr(resources, name) for name in COUNTS]


def extremes(space: MacroSpace) -> list[Configuration]:
    """Return the networks with all numbers at their smallest, or largest, of all families."""
    choices = space.configuration_space
    stages = [name for name in choices if name.endswith(":family")]
    found = []
    for largest in (False, True):
        for families in product(*(choices[name].choices for name in stages)):
            wanted: dict[str, Any] = dict(zip(stages, map(str, families), strict=True))
            for name, choice in choices.items():
                if isinstance(choice, OrdinalHyperparameter):
                    wanted[name] = choice.sequence[-1 if largest else 0]
                elif isinstance(choice, UniformIntegerHyperparameter):
                    wanted[name] = choice.upper if largest else choice.lower
            found.append(active(space, wanted))
    return found


def active(space: MacroSpace, wanted: dict[str, Any]) -> Configuration:
    """Return the configuration of the wanted values whose conditions hold.

    Args:
        space: of the configuration.
        wanted: a value for every choice.
    """
    choices, chosen = space.configuration_space, dict[str, Any]()
    for name in choices:  # parents come first
        conditions = choices.parent_conditions_of[name]
        if all(condition.satisfied_by_value(chosen) for condition in conditions):
            chosen[name] = wanted[name]
    return configuration_of(choices, chosen)


def main() -> None:
    """Count the samples, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 samples, and write nothing")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    space = MacroSpace.small()
    drawn = sample(space.configuration_space, 20 if quick else 1000, np.random.default_rng(0))
    rows = [
        (str(shape), "sample", *counted(space, configuration, shape))
        for shape in SHAPES
        for configuration in drawn
    ]
    rows += [
        (str(shape), "extreme", *counted(space, configuration, shape))
        for shape in SHAPES
        for configuration in extremes(space)
    ]
    frame = pd.DataFrame(rows, columns=["input", "kind", *COUNTS])
    text = report(frame, len(drawn))
    print(text)
    if not quick:
        frame.to_csv(RESULTS.with_suffix(".csv"), index=False)
        RESULTS.with_suffix(".md").write_text(text + "\n", encoding="utf-8")


def report(frame: pd.DataFrame, samples: int) -> str:
    """Return the page of results.

    Args:
        frame: a row per network.
        samples: the number of samples per shape.
    """
    lines = [
        "# Sizes of small networks",
        "",
        f"`MacroSpace.small()`, {CLASSES} classes: the smallest and the largest network of the "
        f"space, and quartiles over {samples:,} random samples (seed 0). Each network is in "
        "space_sizes.csv.",
    ]
    for name in COUNTS:
        lines += ["", f"| {name.replace('_', '-')} | smallest | minimum | quartile | median | "]
        lines[-1] += "quartile | maximum | largest |"
        lines.append("| --- |" + " ---: |" * 7)
        for shape in frame["input"].unique():
            of = frame[frame["input"] == shape]
            inner = of[of["kind"] == "sample"][name].quantile(list(QUARTILES)).astype(int)
            outer = of[of["kind"] == "extreme"][name]
            cells = [outer.min(), *inner, outer.max()]
            lines.append(f"| {shape} | " + " | ".join(f"{cell:,}" for cell in cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
