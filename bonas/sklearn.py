"""A search as a classifier of scikit-learn: what it finds is trained on everything and predicts."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float, Shaped
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from bonas.runners.runner import Runner
from bonas.search.progress import Progress, Silent
from bonas.search.search import Search
from bonas.strategies.strategy import Strategy
from fidelity.datasets.dataset import DataError, Dataset, Part, split
from fidelity.datasets.pixels import as_tensor, offset_of, with_channels
from fidelity.export.normalisation import Normalised
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.schedules.schedule import Schedule
from fidelity.training.device_data import copy_to_device, resolve_device
from fidelity.training.training import Training
from spaces.space import Space

BATCH = 1024
"""So many examples are predicted at once."""


class NetworkSearch(ClassifierMixin, BaseEstimator):
    """Searches a space for a classifier of the data that it is fitted to.

    `fit` splits a validation part off, searches for the network of lowest validation error, and
    trains that network once more, to the full budget and on all of the data.

    Args:
        space: of the networks; `spaces.Perceptrons` for tables.
        strategy: proposes; Bayesian optimization by default.
        schedule: chooses budgets; by default all networks are trained to `max_epochs`.
        evaluations: of networks, at most; see `Search.run`.
        epochs: of training in all, at most; None is no limit.
        seconds: at most; None is no limit.
        max_epochs: that a network is trained, and what the final one is trained.
        batch_size: examples a step.
        learning_rate: at its peak.
        validation: the fraction of the examples by which networks are compared.
        directory: where the search is kept; the same directory, data and settings mean resume.
        runner: evaluates the networks; by default this process.
        device: as torch names devices; the GPU where there is one by default.
        verbose: whether to show how the search goes.
        random_state: of everything random, as in scikit-learn.

    Attributes:
        network_: from examples, in the shape and scale in which they are given to `fit` (tables
            as (batch, features, 1, 1)), to logits of shape (batch, classes).
        search_history_: of the search, as a `History`.
        incumbent_: the evaluation whose network was chosen.
        classes_: the labels.
        n_features_in_: the length of the second axis of the examples.
    """

    def __init__(
        self,
        space: Space,
        *,
        strategy: Strategy | None = None,
        schedule: Schedule | None = None,
        evaluations: int | None = 20,
        epochs: float | None = None,
        seconds: float | None = None,
        max_epochs: float = 9.0,
        batch_size: int = 64,
        learning_rate: float = 0.1,
        validation: float = 0.2,
        directory: str | Path | None = None,
        runner: Runner | None = None,
        device: str | None = None,
        verbose: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.space = space
        self.strategy = strategy
        self.schedule = schedule
        self.evaluations = evaluations
        self.epochs = epochs
        self.seconds = seconds
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.validation = validation
        self.directory = directory
        self.runner = runner
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> Self:
        """Searches, and trains what was found on everything.

        Args:
            X: a table (examples, features), or images (examples, channels, height, width), or
                (examples, height, width) unless one side is twice the other or more.
            y: a label for each example, of any type.

        Raises:
            ValueError: the data cannot be used, or nothing could be trained on them.
        """
        X, y = validate_data(self, X, y, ensure_2d=_is_table(X), allow_nd=True)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(
                f"there is only 1 class, {self.classes_[0]}: a classifier needs examples of two "
                "or more"
            )
        pixels = _images(with_channels(X, "examples") if X.ndim == 3 else X)
        offset = offset_of(pixels)
        everything = Part(as_tensor(pixels, offset), torch.from_numpy(labels.astype(np.int64)))
        self._shape = everything.images.shape[1:]
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        held = max(round(self.validation * len(labels)), len(self.classes_))
        rest, validation = split(everything, held, np.random.default_rng(seed))
        # A data set has a test part, which no search looks at: here there is none to look at.
        searched = Dataset("to search with", rest, validation, validation, offset=offset)
        best = self._search(searched, seed)
        whole = replace(searched, name="everything", train=everything)
        found = self._training(whole).final(best.trial.configuration, best.trial.seed)
        placed = copy_to_device(whole, resolve_device("cpu"))
        network = Normalised(found.network.cpu(), placed.mean, placed.scale, offset)
        self.network_ = network.eval()
        self.incumbent_: Evaluation = best
        return self

    def _search(self, dataset: Dataset, seed: int) -> Evaluation:
        # Copies: what spaces and strategies remember changes no parameter of this object.
        with Search(
            copy.deepcopy(self.space),
            self._training(dataset),
            strategy=copy.deepcopy(self.strategy),
            schedule=self.schedule,
            directory=self.directory,
            seed=seed,
        ) as search:
            search.run(
                evaluations=self.evaluations,
                epochs=self.epochs,
                seconds=self.seconds,
                runner=self.runner,
                progress=Progress() if self.verbose else Silent(),
            )
            best = search.incumbent
            self.search_history_: History = search.history
        if best is None:
            raise ValueError(
                "no network could be evaluated: raise the limits of the search, or see "
                "search_history_ for what went wrong"
            )
        return best

    def _training(self, dataset: Dataset) -> Training:
        return Training(
            copy.deepcopy(self.space),
            dataset,
            max_epochs=self.max_epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            device=self.device,
        )

    def predict_proba(self, X: Any) -> Float[np.ndarray, "examples classes"]:
        """The probability of each class, in the order of `classes_`.

        Raises:
            NotFittedError: `fit` comes first.
            ValueError: the examples have not the shape of those that were fitted to.
        """
        check_is_fitted(self)
        X = validate_data(self, X, ensure_2d=_is_table(X), allow_nd=True, reset=False)
        images = _images(X)
        if images.shape[1:] != self._shape:
            raise ValueError(
                f"these examples have the shape {tuple(images.shape[1:])} (channels, height, "
                f"width), but those of fit had {tuple(self._shape)}: they must agree"
            )
        with torch.no_grad():
            logits = [
                self.network_(torch.from_numpy(images[first : first + BATCH].astype(np.float64)))
                for first in range(0, len(images), BATCH)
            ]
        return np.asarray(torch.cat(logits).double().softmax(1).numpy())

    def predict(self, X: Any) -> Shaped[np.ndarray, " examples"]:
        """The most probable class of each example; errors as of `predict_proba`."""
        best = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[best])


def _is_table(examples: Any) -> bool:
    return (examples.ndim if hasattr(examples, "ndim") else np.asarray(examples).ndim) < 3


def _images(examples: Shaped[np.ndarray, ...]) -> Shaped[np.ndarray, "n channels height width"]:
    """Features become channels, each of which a training normalises by itself."""
    if examples.ndim > 4:
        raise DataError(
            f"the examples have the shape {examples.shape}: expected a table (examples, features), "
            "or images (examples, height, width) or (examples, channels, height, width)"
        )
    if examples.ndim == 2:
        return examples[:, :, None, None]
    return examples[:, None] if examples.ndim == 3 else examples
