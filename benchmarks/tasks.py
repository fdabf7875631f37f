"""Searches for tasks of every kind against a baseline of scikit-learn, on real data.

    python benchmarks/tasks.py                       # all problems, 5 seeds
    python benchmarks/tasks.py "breast cancer"       # one of them
    python benchmarks/tasks.py --report              # only the page
    python benchmarks/tasks.py --quick               # minutes, in results/quick

A seed splits the examples (60% training, 20% validation, 20% test) and runs the search:
`BayesianOptimization` with the default settings, 12 networks at the full number of epochs. The
winner is trained again on training and validation examples, once, and evaluated on the test part.
The baseline is fitted to the same training and validation examples, at scikit-learn's own defaults
unless the page says otherwise, and evaluated on the same test part by the same cost. Rows go to
results/tasks.csv; recorded seeds are not run again.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from ConfigSpace import ConfigurationSpace, Float
from sklearn import datasets as bundled
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from torch import Tensor

from bonas import Search
from bonas.comparison.statistics import bootstrap_mean
from fidelity import AdamW, Training, retrain
from fidelity.augment import PadCrop
from fidelity.datasets import from_arrays
from fidelity.datasets.dataset import Dataset, Part
from fidelity.tasks import Classification
from spaces import EncoderDecoderSpace, JointSpace, MacroSpace, NextTokenSpace
from spaces import ResidualPerceptrons as Perceptrons
from spaces.space import Space

RESULTS = Path(__file__).parent / "results"
EVALUATIONS, SEEDS, CONFIDENCE = 12, 5, 0.95
LEAST = 4
"""Seeds for an interval."""
QUICK = (3, 1)


@dataclass(frozen=True)
class Problem:
    """Data, networks, and the baseline.

    Attributes:
        data: for a seed, which splits it.
        space: of the networks.
        baseline: returns the outputs for the inputs of the test part, in the layout of a network's,
            after a fit to the examples of the first part.
        described: the baseline in words.
        epochs: of each training.
    """

    data: Callable[[int], Dataset]
    space: Space
    baseline: Callable[[Part, Part], np.ndarray]
    described: str
    epochs: float = 20
    batch_size: int = 32


def with_rate(space: Space) -> JointSpace:
    """Return a space that also chooses the learning rate."""
    rate = Float("learning_rate", (3e-4, 3e-2), log=True)
    return JointSpace(space, ConfigurationSpace({"learning_rate": rate}))


def table(load: Callable[..., Any], dtype: type) -> Callable[[int], Dataset]:
    """Return a table that comes with scikit-learn."""

    def data(seed: int) -> Dataset:
        rows, targets = load(return_X_y=True)
        return from_arrays(rows, targets.astype(dtype), name=load.__name__[5:], seed=seed)

    return data


def friedman(seed: int) -> Dataset:
    """Return Friedman's first function of ten features with noise, 2,000 rows."""
    rows, targets = bundled.make_friedman1(2000, noise=1.0, random_state=0)
    return from_arrays(rows, targets, name="friedman1", seed=seed)


def imbalanced_digits(seed: int) -> Dataset:
    """Return five digits, as 60, 20, 10, 7 and 3% of 298 images, judged by the macro F1 score."""
    images, labels = bundled.load_digits().images, bundled.load_digits().target
    rng = np.random.default_rng(0)
    counts = {8: 178, 1: 60, 3: 30, 9: 21, 5: 9}  # which are easily confused
    chosen = [rng.permutation(np.flatnonzero(labels == c))[:n] for c, n in counts.items()]
    index = np.concatenate(chosen)
    labels = np.searchsorted(sorted(counts), labels)
    task = Classification("macro_f1", class_weights="balanced")
    augment = (PadCrop(1),)
    name = "imbalanced digits"
    return from_arrays(
        images[index], labels[index], task=task, augment=augment, name=name, seed=seed
    )


def masks(seed: int) -> Dataset:
    """Return digits in strong noise, and the masks of their strokes."""
    images = bundled.load_digits().images
    noisy = images + np.random.default_rng(0).normal(0, 6, images.shape)
    return from_arrays(noisy, (images > 7).astype(np.uint8), name="strokes of digits", seed=seed)


def signals(seed: int) -> Dataset:
    """Return the 5,000 sequences of MNIST-1D."""
    from mnist1d.data import get_dataset_args, make_dataset

    made = make_dataset(get_dataset_args())
    inputs = np.concatenate([made["x"], made["x_test"]])[:, None]
    return from_arrays(
        inputs, np.concatenate([made["y"], made["y_test"]]), name="mnist1d", seed=seed
    )


LENGTH, CHARACTERS = 32, 100_000


def characters(seed: int) -> Dataset:
    """Return the beginning of Python's manual, lower case, as sequences of 32 characters."""
    from pydoc_data.topics import topics

    text = " ".join("\n".join(topics[name] for name in sorted(topics)).lower().split())
    codes = np.frombuffer(text.encode("ascii", "ignore")[: CHARACTERS + 1], np.uint8)
    _, tokens = np.unique(codes, return_inverse=True)
    count = CHARACTERS // LENGTH
    inputs, targets = (t[: count * LENGTH].reshape(count, LENGTH) for t in (tokens, tokens[1:]))
    return from_arrays(inputs, targets, kind="tokens", name="characters", seed=seed)


VOCABULARY = int(characters(0).outputs)


def classifier(make: Callable[[], Any]) -> Callable[[Part, Part], np.ndarray]:
    """Return the log-probabilities of a classifier of flat inputs."""

    def fitted(train: Part, test: Part) -> np.ndarray:
        model = make().fit(train.inputs.flatten(1).numpy(), train.targets.numpy())
        return np.log(model.predict_proba(test.inputs.flatten(1).numpy()).clip(1e-12))

    return fitted


def support_vectors(train: Part, test: Part) -> np.ndarray:
    """Return 1 for the class that support vectors predict, with balanced classes, else 0."""
    model = SVC(class_weight="balanced").fit(train.inputs.flatten(1), train.targets)
    return np.eye(int(train.targets.max()) + 1)[model.predict(test.inputs.flatten(1))]


def regressor(train: Part, test: Part) -> np.ndarray:
    """Return what gradient boosting predicts, in units of the targets."""
    model = HistGradientBoostingRegressor(random_state=0)
    model.fit(train.inputs.numpy(), train.targets.numpy())
    return np.asarray(model.predict(test.inputs.numpy()))[:, None]


def patches(images: Tensor) -> np.ndarray:
    """Return the 5x5 pixels around each pixel, (images * pixels, 25)."""
    unfolded = torch.nn.functional.unfold(images.float(), 5, padding=2)
    return unfolded.movedim(1, 2).reshape(-1, 25).numpy()


def pixels(train: Part, test: Part) -> np.ndarray:
    """Return log-probabilities per pixel of gradient boosting on the 5x5 pixels around it."""
    model = HistGradientBoostingClassifier(random_state=0)
    model.fit(patches(train.inputs), train.targets.flatten().numpy())
    found = np.log(model.predict_proba(patches(test.inputs)).clip(1e-12))
    return np.moveaxis(found.reshape(*test.targets.shape, -1), 3, 1)


CONTEXT = 8


def contexts(part: Part) -> tuple[Any, np.ndarray]:
    """Return the last eight characters before each one, one-hot, and the character."""
    from sklearn.preprocessing import OneHotEncoder

    padded = np.pad(part.inputs.numpy(), ((0, 0), (CONTEXT - 1, 0)), constant_values=VOCABULARY)
    windows = np.lib.stride_tricks.sliding_window_view(padded, CONTEXT, axis=1)
    encoder = OneHotEncoder(categories=[np.arange(VOCABULARY + 1)] * CONTEXT)
    return encoder.fit_transform(windows.reshape(-1, CONTEXT)), part.targets.flatten().numpy()


def next_character(train: Part, test: Part) -> np.ndarray:
    """Return log-probabilities of logistic regression on the last eight characters."""
    model = LogisticRegression(max_iter=200, tol=1e-2).fit(*contexts(train))
    found = np.full((*test.targets.shape, VOCABULARY), math.log(1e-6))
    rows, _ = contexts(test)
    found[..., model.classes_] = model.predict_log_proba(rows).reshape(*test.targets.shape, -1)
    return np.moveaxis(found, 2, 1)


BOOSTING = classifier(lambda: HistGradientBoostingClassifier(random_state=0))
TABLES = with_rate(Perceptrons())
PROBLEMS: Mapping[str, Problem] = {
    "breast cancer": Problem(
        table(bundled.load_breast_cancer, int), TABLES, BOOSTING, "gradient boosting"
    ),
    "diabetes": Problem(
        table(bundled.load_diabetes, float), TABLES, regressor, "gradient boosting"
    ),
    "friedman1": Problem(friedman, TABLES, regressor, "gradient boosting", batch_size=128),
    "imbalanced digits": Problem(
        imbalanced_digits,
        with_rate(MacroSpace.small(stages=2)),
        support_vectors,
        "support vectors with balanced classes",
        epochs=40,
    ),
    "mnist1d": Problem(
        signals,
        with_rate(MacroSpace.small((4, 8))),
        BOOSTING,
        "gradient boosting on the points",
        epochs=10,
        batch_size=128,
    ),
    "strokes of digits": Problem(
        masks,
        with_rate(EncoderDecoderSpace(widths=(4, 8, 16), depth=(1, 2), blocks=(1, 2))),
        pixels,
        "gradient boosting on the 5x5 pixels around each",
        epochs=10,
    ),
    "characters": Problem(
        characters,
        with_rate(NextTokenSpace(VOCABULARY, (32, 64), (1, 3))),
        next_character,
        "logistic regression on the last 8 characters",
        epochs=4,
    ),
}


def run(problem: Problem, seed: int, evaluations: int) -> dict[str, Any]:
    """Search with one seed; return both costs on the test part.

    Args:
        problem: to search for.
        seed: of the split, the search and the final training.
        evaluations: the number of networks.
    """
    dataset = problem.data(seed)
    training = Training(
        problem.space,
        dataset,
        problem.epochs,
        batch_size=problem.batch_size,
        optimizer=AdamW(),
        device="cpu",
    )
    started = time.process_time()
    with Search(problem.space, training, seed=seed) as search:
        search.run(evaluations=evaluations)
        best = search.incumbent
    assert best is not None
    final = retrain(training, best.trial.configuration, seeds=(seed,))
    searched = time.process_time() - started
    return {
        "cost": final.mean,
        "baseline": judged(problem, dataset),
        "validation": best.cost,
        "seconds": round(searched, 1),
        "measure": dataset.task.measure.name,
    }


def judged(problem: Problem, dataset: Dataset) -> float:
    """Return the cost of the baseline on the test part."""
    found = torch.from_numpy(
        problem.baseline(dataset.train.joined(dataset.validation), dataset.test)
    )
    criterion = dataset.task.criterion(dataset.train.targets)
    if criterion.units is not None:
        mean, scale = criterion.units
        found = (found - mean) / scale
    tally = criterion.tally()
    tally.add(found, dataset.test.targets)
    return tally.cost()


def report(source: Path, target: Path) -> str:
    """Write the page of a file of rows, and return it."""
    frame = pd.read_csv(source)
    lines = [
        "# Tasks of every kind",
        "",
        "By `python benchmarks/tasks.py`; its docstring has the protocol. Costs on the test part:",
        f"means over seeds; the difference is paired, with a {CONFIDENCE:.0%} bootstrap interval.",
        "",
        "| data | cost | search | baseline | difference | seeds | CPU s per search |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, problem in PROBLEMS.items():
        rows = frame[frame.problem == name]
        if rows.empty:
            continue
        differences = (rows.cost - rows.baseline).to_numpy()
        difference = f"{differences.mean():+.3g}"
        if len(rows) >= LEAST:
            low, high = bootstrap_mean(differences, CONFIDENCE, np.random.default_rng(0))
            difference += f" [{low:+.3g}, {high:+.3g}]"
        lines.append(
            f"| {name} | {rows.measure.iloc[0]} | {rows.cost.mean():.4g} | "
            f"{rows.baseline.mean():.4g} ({problem.described}) | {difference} | {len(rows)} | "
            f"{rows.seconds.mean():.0f} |"
        )
    text = "\n".join(lines) + "\n"
    target.write_text(text, encoding="utf-8")
    return text


def main() -> None:
    """Run the requested searches, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help="of problems; all by default")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--quick", action="store_true", help="one seed, few networks")
    parser.add_argument("--report", action="store_true", help="only the page")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    directory = RESULTS / "quick" if arguments.quick else RESULTS
    directory.mkdir(parents=True, exist_ok=True)
    evaluations, seeds = QUICK if arguments.quick else (EVALUATIONS, arguments.seeds)
    source = directory / "tasks.csv"
    for name in () if arguments.report else arguments.names or PROBLEMS:
        for seed in range(seeds):
            known = pd.read_csv(source) if source.exists() else pd.DataFrame(columns=["problem"])
            if ((known.problem == name) & (known.get("seed") == seed)).any():
                continue
            row = {"problem": name, "seed": seed, **run(PROBLEMS[name], seed, evaluations)}
            pd.concat([known, pd.DataFrame([row])]).to_csv(source, index=False)
            print(row, flush=True)
    print(report(source, directory / "tasks.md"))


if __name__ == "__main__":
    main()
