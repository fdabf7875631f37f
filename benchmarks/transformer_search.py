"""A search among small transformers of characters, against a fixed one whose rate is tuned.

    python benchmarks/transformer_search.py             # 5 seeds, about an hour
    python benchmarks/transformer_search.py --report    # only the page
    python benchmarks/transformer_search.py --quick     # minutes, in results/quick

The text is the beginning of Python's manual, which ships with Python, in lower case and in
sequences of 64 characters. A seed splits them (60% training, 20% validation, 20% test).

All contestants search with the same strategy and with Hyperband, for the same number of epochs in
total, over the same learning rates. The baseline is a fixed transformer, 2 layers of width 64 in
the form of GPT-2, so that all its epochs go into the learning rate. A second one has rotary
positions, which a modern design begins with. The search chooses width, depth, positions, and per
layer heads, MLP ratio, window and activation as well, with at most as many parameters as the
baseline. Each winner is trained again on training and validation examples, and evaluated on the
test part, in bits per character. Rows go to results/transformer_search.csv; recorded seeds are not
run again.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from ConfigSpace import ConfigurationSpace, Float

from bonas import Hyperband, Search
from bonas.comparison.statistics import bootstrap_mean
from bonas.search.progress import Silent
from fidelity import AdamW, Constraint, Training, retrain
from fidelity.datasets import from_arrays
from fidelity.datasets.dataset import Dataset
from spaces import JointSpace, Tokens, TransformerSpace

RESULTS = Path(__file__).parent / "results"
CHARACTERS, LENGTH = 100_000, 64
MAX_EPOCHS, EPOCHS, SEEDS = 9, 81, 5
QUICK = (3, 9, 1)
BATCH, CONFIDENCE = 16, 0.95


def text(seed: int) -> Dataset:
    """Return the beginning of Python's manual as sequences of characters and the next ones."""
    from pydoc_data.topics import topics

    joined = " ".join("\n".join(topics[name] for name in sorted(topics)).lower().split())
    codes = np.frombuffer(joined.encode("ascii", "ignore")[: CHARACTERS + 1], np.uint8)
    _, tokens = np.unique(codes, return_inverse=True)
    count = CHARACTERS // LENGTH
    inputs, targets = (t[: count * LENGTH].reshape(count, LENGTH) for t in (tokens, tokens[1:]))
    return from_arrays(inputs, targets, kind="tokens", name="manual", seed=seed)


TOKENS = Tokens(int(text(0).outputs), LENGTH)
FIXED = TransformerSpace(TOKENS, (64,), (2, 2), (4,), (4,), causal=True)
ROTARY = TransformerSpace(TOKENS, (64,), (2, 2), (4,), (4,), positions=("rotary",), causal=True)
SEARCHED = TransformerSpace(
    TOKENS,
    widths=(32, 48, 64, 80, 96),
    depth=(1, 6),
    heads=(2, 4, 8),
    ratios=(1, 2, 4),
    windows=(0, 8, 16),
    activations=("gelu", "relu", "swish"),
    positions=("learned", "rotary"),
    causal=True,
)
SPACES = {"searched": SEARCHED, "fixed": FIXED, "fixed, rotary": ROTARY}


def run(name: str, seed: int, most: int, epochs: int) -> dict[str, Any]:
    """Search with one seed; return the cost of the winner on the test part.

    Args:
        name: of the space.
        seed: of the split, the search and the final training.
        most: the number of epochs of a full training run.
        epochs: of all training runs of the search together.
    """
    data = text(seed)
    rate = ConfigurationSpace(space=[Float("learning_rate", (3e-4, 3e-2), log=True)])
    space = JointSpace(SPACES[name], rate)
    training = Training(space, data, most, BATCH, AdamW(), device="cpu")
    limit = Constraint("parameters", at_most=parameters(data))
    started = time.process_time()
    with Search(space, training, schedule=Hyperband(1), constraints=[limit], seed=seed) as search:
        history = search.run(epochs=epochs, progress=Silent())
        best = search.best
    searched = time.process_time() - started
    final = retrain(training, best.configuration, seeds=(seed,))
    return {
        "name": name,
        "seed": seed,
        "test": final.mean,
        "validation": best.cost,
        "parameters": training.computed["parameters"](best.configuration),
        "multiply_adds": training.computed["multiply_adds"](best.configuration),
        "networks": len({e.trial.number for e in history.evaluations}),
        "seconds": round(searched, 1),
        "configuration": " ".join(
            f"{key.rpartition('architecture:')[2]}={value:.3g}"
            if isinstance(value, float)
            else f"{key.rpartition('architecture:')[2]}={value}"
            for key, value in dict(best.configuration).items()
        ),
    }


def parameters(data: Dataset) -> int:
    """Return the parameters of the fixed transformer."""
    chosen = FIXED.configuration_space.get_default_configuration()
    with torch.device("meta"):
        network = FIXED.build(chosen, data.input_shape, data.outputs)
    return sum(parameter.numel() for parameter in network.parameters())


def report(source: Path) -> str:
    """Write the page of a file of rows next to it, and return it."""
    frame = pd.read_csv(source)
    tests = frame.pivot_table(index="seed", columns="name", values="test").dropna()
    lines = [
        "# A search among small transformers",
        "",
        "By `python benchmarks/transformer_search.py`; its docstring has the protocol.",
        "Bits per character on the test part, and medians of the winners' resources.",
        "",
        "| | bits per character | parameters | multiply-adds per sequence | networks | CPU s |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in SPACES:
        own = frame[frame.name == name]
        lines.append(
            f"| {name} | {own.test.mean():.3f} ± {own.test.sem():.3f} | "
            f"{own.parameters.median():,.0f} | {own.multiply_adds.median():,.0f} | "
            f"{own.networks.median():.0f} | {own.seconds.median():.0f} |"
        )
    for name in [name for name in tests.columns if name != "searched"]:
        differences = (tests["searched"] - tests[name]).to_numpy()
        low, high = bootstrap_mean(differences, CONFIDENCE, np.random.default_rng(0))
        lines += [
            "",
            f"Searched minus {name}, paired over {len(tests)} seeds: {differences.mean():+.3f} "
            f"[{low:+.3f}, {high:+.3f}] ({CONFIDENCE:.0%} bootstrap interval).",
        ]
    lines += [
        "",
        "| seed | winner | bits per character |",
        "| --- | --- | --- |",
        *(f"| {r.seed:.0f} | {r.configuration} | {r.test:.3f} |" for r in frame.itertuples()),
    ]
    page = "\n".join(lines) + "\n"
    source.with_suffix(".md").write_text(page, encoding="utf-8")
    return page


def main() -> None:
    """Run the requested searches, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--quick", action="store_true", help="one seed, few epochs")
    parser.add_argument("--report", action="store_true", help="only the page")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    directory = RESULTS / "quick" if arguments.quick else RESULTS
    directory.mkdir(parents=True, exist_ok=True)
    most, epochs, seeds = QUICK if arguments.quick else (MAX_EPOCHS, EPOCHS, arguments.seeds)
    source = directory / "transformer_search.csv"
    for seed in range(0 if arguments.report else seeds):
        for name in SPACES:
            known = pd.read_csv(source) if source.exists() else pd.DataFrame(columns=["name"])
            if ((known.name == name) & (known.get("seed") == seed)).any():
                continue
            row = run(name, seed, most, epochs)
            pd.concat([known, pd.DataFrame([row])]).to_csv(source, index=False)
            print(row, flush=True)
    print(report(source))


if __name__ == "__main__":
    main()
