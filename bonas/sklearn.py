"""A search as a scikit-learn classifier."""

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
from fidelity.datasets.dataset import DataError, Dataset
from fidelity.datasets.inputs import as_inputs, as_tensor, offset_of
from fidelity.datasets.part import Part
from fidelity.datasets.split import split
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.schedules.schedule import Schedule
from fidelity.training.device_data import copy_to_device, resolve_device
from fidelity.training.optimizers import SGD
from fidelity.training.retrain import in_own_scale
from fidelity.training.training import Training
from spaces.space import Space

BATCH = 1024
"""The number of examples that are predicted at once."""


class NetworkSearch(ClassifierMixin, BaseEstimator):
    """A classifier whose network is found by a search.

    `fit` holds out a validation part, searches for the network of lowest validation error, and
    retrains that network from scratch on all of the data for `max_epochs`.

    Args:
        space: of the networks; `spaces.Perceptrons` for tables.
        strategy: proposes networks; Bayesian optimization by default.
        schedule: chooses budgets; by default each network is trained for `max_epochs`.
        evaluations: the maximal number of evaluations; see `Search.run`.
        epochs: the maximal number of training epochs in total; None means no limit.
        seconds: the maximal duration of the search; None means no limit.
        max_epochs: the maximal epochs per network, and the epochs of the final training.
        batch_size: the number of examples per step.
        learning_rate: the peak learning rate.
        validation: the fraction of the examples on which networks are compared.
        directory: holds the search; the same directory, data and settings resume it.
        runner: evaluates the networks; by default in this process.
        device: a name of a torch device; by default the GPU if there is one.
        verbose: whether to show the progress of the search.
        random_state: as in scikit-learn.

    Attributes:
        network_: maps examples, in the shape and scale of those given to `fit` (tables as (batch,
            features, 1, 1)), to logits of shape (batch, classes).
        search_history_: the `History` of the search.
        incumbent_: the evaluation of the selected network.
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
        """Search for a network, and retrain it on all examples.

        Args:
            X: a table (examples, features), or images (examples, channels, height, width) or
                (examples, height, width), unless one side is at least twice the other.
            y: the label of each example, of any type.

        Raises:
            ValueError: the data are invalid, or no network could be trained on them.
        """
        X, y = validate_data(self, X, y, ensure_2d=_is_table(X), allow_nd=True)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(
                f"there is only 1 class, {self.classes_[0]}: a classifier needs examples of two "
                "or more"
            )
        pixels = _images(as_inputs(X, "examples", None) if X.ndim == 3 else X)
        offset = offset_of(pixels)
        everything = Part(as_tensor(pixels, offset), torch.from_numpy(labels.astype(np.int64)))
        self._shape = everything.inputs.shape[1:]
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        held_out = max(round(self.validation * len(labels)), len(self.classes_))
        rest, validation = split(
            everything, held_out, np.random.default_rng(seed), everything.targets
        )
        # A data set needs a test part, but no search uses it.
        searched = Dataset("to search with", rest, validation, validation, offset=offset)
        best = self._search(searched, seed)
        whole = replace(searched, name="everything", train=everything)
        final = self._training(whole).final(best.trial.configuration, best.trial.seed)
        placed = copy_to_device(whole, resolve_device("cpu"))
        network = in_own_scale(final.network.cpu(), placed, offset)
        self.network_ = network.eval()
        self.incumbent_: Evaluation = best
        return self

    def _search(self, dataset: Dataset, seed: int) -> Evaluation:
        # Copies: the state of spaces and strategies must not change a parameter of this object.
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
                "no network could be evaluated: raise the limits of the search, or see the errors "
                "in search_history_"
            )
        return best

    def _training(self, dataset: Dataset) -> Training:
        return Training(
            copy.deepcopy(self.space),
            dataset,
            max_epochs=self.max_epochs,
            batch_size=self.batch_size,
            optimizer=SGD(self.learning_rate),
            device=self.device,
        )

    def predict_proba(self, X: Any) -> Float[np.ndarray, "examples classes"]:
        """Return the probability of each class, in the order of `classes_`.

        Raises:
            NotFittedError: `fit` was not called.
            ValueError: the examples differ in shape from those given to `fit`.
        """
        check_is_fitted(self)
        X = validate_data(self, X, ensure_2d=_is_table(X), allow_nd=True, reset=False)
        images = _images(X)
        if images.shape[1:] != self._shape:
            raise ValueError(
                f"the examples have the shape {tuple(images.shape[1:])} (channels, height, "
                f"width), but those of fit had {tuple(self._shape)}: give examples of that shape"
            )
        with torch.no_grad():
            logits = [
                self.network_(torch.from_numpy(images[first : first + BATCH].astype(np.float64)))
                for first in range(0, len(images), BATCH)
            ]
        return np.asarray(torch.cat(logits).double().softmax(1).numpy())

    def predict(self, X: Any) -> Shaped[np.ndarray, " examples"]:
        """Return the most probable class of each example; raises like `predict_proba`."""
        best = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[best])


def _is_table(examples: Any) -> bool:
    return (examples.ndim if hasattr(examples, "ndim") else np.asarray(examples).ndim) < 3


def _images(examples: Shaped[np.ndarray, ...]) -> Shaped[np.ndarray, "n channels height width"]:
    """Return examples as images; features become channels, which are normalised separately."""
    if examples.ndim > 4:
        raise DataError(
            f"the examples have the shape {examples.shape}: expected a table (examples, features), "
            "or images (examples, height, width) or (examples, channels, height, width)"
        )
    if examples.ndim == 2:
        return examples[:, :, None, None]
    return examples[:, None] if examples.ndim == 3 else examples
