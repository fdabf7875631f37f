"""A search as a classifier and as a regressor of scikit-learn."""

from __future__ import annotations

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float, Float64, Shaped
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from torch import Tensor

from bonas.runners.runner import Runner
from bonas.search.progress import Progress, Silent
from bonas.search.search import Search
from bonas.strategies.strategy import Strategy
from fidelity.datasets.dataset import DataError, Dataset
from fidelity.datasets.inputs import Kind, as_inputs, converted, offset_of
from fidelity.datasets.part import Part
from fidelity.datasets.split import split
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from fidelity.schedules.schedule import Schedule
from fidelity.tasks.classification import Classification
from fidelity.tasks.regression import Regression
from fidelity.training.device_data import copy_to_device, resolve_device
from fidelity.training.optimizers import AdamW, Optimizer
from fidelity.training.retrain import in_own_scale
from fidelity.training.training import Training
from spaces.space import Space

BATCH = 1024
"""The number of examples that are predicted at once."""

Task = Classification | Regression


class NetworkEstimator(BaseEstimator):
    """The settings and the search that `NetworkClassifier` and `NetworkRegressor` share."""

    def __init__(
        self,
        space: Space,
        *,
        task: Any = None,
        strategy: Strategy | None = None,
        schedule: Schedule | None = None,
        evaluations: int | None = 20,
        epochs: float | None = None,
        seconds: float | None = None,
        max_epochs: float = 9.0,
        batch_size: int = 64,
        optimizer: Optimizer | None = None,
        validation: float = 0.2,
        kind: Kind | None = None,
        directory: str | Path | None = None,
        runner: Runner | None = None,
        device: str | None = None,
        verbose: bool = False,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.space = space
        self.task = task
        self.strategy = strategy
        self.schedule = schedule
        self.evaluations = evaluations
        self.epochs = epochs
        self.seconds = seconds
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.validation = validation
        self.kind = kind
        self.directory = directory
        self.runner = runner
        self.device = device
        self.verbose = verbose
        self.random_state = random_state

    def _fit(
        self,
        X: Shaped[np.ndarray, "examples ..."],
        targets: Shaped[Tensor, "examples ..."],
        weights: Float[Tensor, " examples"] | None,
        task: Task,
    ) -> None:
        """Search for a network, and retrain it on all examples."""
        inputs = as_inputs(X, "examples", self.kind)
        tokens = self.kind == "tokens"
        offset = None if tokens else offset_of(inputs)
        tensor = converted(inputs, tokens, offset)
        everything = Part(tensor, targets, weights)
        self._shape = tuple(tensor.shape[1:])
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        strata = task.strata(targets)
        least = 1 if strata is None else task.outputs(targets)
        held_out = max(round(self.validation * len(everything)), least)
        rest, validation = split(everything, held_out, np.random.default_rng(seed), strata)
        # A data set needs a test part, but no search uses it.
        searched = Dataset("to search with", rest, validation, validation, offset=offset, task=task)
        best = self._search(searched, seed)
        whole = replace(searched, name="everything", train=everything)
        final = self._training(whole).final(best.trial.configuration, best.trial.seed)
        placed = copy_to_device(whole, resolve_device("cpu"))
        self.network_ = in_own_scale(final.network.cpu(), placed, offset).eval()
        self.incumbent_: Evaluation = best

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
            optimizer=AdamW(0.01) if self.optimizer is None else self.optimizer,
            device=self.device,
        )

    def _outputs(self, X: Any) -> Float64[Tensor, "examples outputs"]:
        """Return the outputs of the network.

        Raises:
            NotFittedError: `fit` was not called.
            ValueError: the examples differ in shape from those given to `fit`.
        """
        check_is_fitted(self)
        X = validate_data(self, X, ensure_2d=_is_table(X), allow_nd=True, reset=False)
        if X.ndim == len(self._shape):  # one channel, which need not be given
            X = X[:, None]
        if X.shape[1:] != self._shape:
            raise ValueError(
                f"the examples have the shape {X.shape[1:]}, but those of fit had {self._shape}: "
                "give examples of that shape"
            )
        inputs = torch.from_numpy(X.astype(np.int64 if self.kind == "tokens" else np.float64))
        with torch.no_grad():
            return torch.cat([self.network_(batch) for batch in inputs.split(BATCH)]).double()


class NetworkClassifier(ClassifierMixin, NetworkEstimator):
    """A classifier whose network is found by a search.

    `fit` holds out a validation part, searches for the network of lowest validation cost, and
    retrains that network from scratch on all of the data for `max_epochs`.

    Args:
        space: of the networks; `spaces.Perceptrons` or `spaces.ResidualPerceptrons` for tables.
        task: the loss and the cost to minimise; None means `Classification()`, whose cost is the
            error.
        strategy: proposes networks; Bayesian optimization by default.
        schedule: chooses budgets; by default each network is trained for `max_epochs`.
        evaluations: the maximal number of evaluations; see `Search.run`.
        epochs: the maximal number of training epochs in total; None means no limit.
        seconds: the maximal duration of the search; None means no limit.
        max_epochs: the maximal epochs per network, and the epochs of the final training.
        batch_size: the number of examples per step.
        optimizer: of the weights; None means `AdamW(0.01)`.
        validation: the fraction of the examples on which networks are compared.
        kind: of the examples: 'images', 'signals', 'table' or 'tokens', where the shape does not
            decide.
        directory: holds the search; the same directory, data and settings resume it.
        runner: evaluates the networks; by default in this process.
        device: a name of a torch device; by default the GPU if there is one.
        verbose: whether to show the progress of the search.
        random_state: as in scikit-learn.

    Attributes:
        network_: maps examples, in the shape and scale of those given to `fit`, to logits of shape
            (batch, classes).
        search_history_: the `History` of the search.
        incumbent_: the evaluation of the selected network.
        classes_: the labels.
        n_features_in_: the length of the second axis of the examples.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Search for a network, and retrain it on all examples.

        Args:
            X: a table (examples, features); images (examples, channels, height, width) or
                (examples, height, width); signals (examples, channels, length); or tokens
                (examples, length), with `kind='tokens'`.
            y: the label of each example, of any type.
            sample_weight: the weight of each example in the loss; one of weight 0 is left out.

        Raises:
            ValueError: the data are invalid, or no network could be trained on them.
        """
        X, y = validate_data(self, X, y, ensure_2d=_is_table(X), allow_nd=True)
        check_classification_targets(y)
        X, y, weights = _weighted(X, y, sample_weight)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise DataError(
                f"there is only 1 class, {self.classes_[0]}: a classifier needs examples of two "
                "or more"
            )
        task = Classification() if self.task is None else self.task
        self._fit(X, torch.from_numpy(labels.astype(np.int64)), weights, task)
        return self

    def predict_proba(self, X: Any) -> Float[np.ndarray, "examples classes"]:
        """Return the probability of each class, in the order of `classes_`.

        Raises:
            NotFittedError: `fit` was not called.
            ValueError: the examples differ in shape from those given to `fit`.
        """
        return np.asarray(self._outputs(X).softmax(1).numpy())

    def predict(self, X: Any) -> Shaped[np.ndarray, " examples"]:
        """Return the most probable class of each example; raises like `predict_proba`."""
        best = self.predict_proba(X).argmax(1)
        return np.asarray(self.classes_[best])


class NetworkRegressor(RegressorMixin, NetworkEstimator):
    """A regressor of one or several targets whose network is found by a search.

    It works like `NetworkClassifier` and has the same arguments, but `task` None means
    `Regression()`, whose cost is the root of the mean squared error in the units of the targets.

    Attributes:
        network_: maps examples, in the shape and scale of those given to `fit`, to targets in their
            own units, of shape (batch, targets).
        search_history_: the `History` of the search.
        incumbent_: the evaluation of the selected network.
        n_features_in_: the length of the second axis of the examples.
    """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Search for a network, and retrain it on all examples.

        Args:
            X: as for `NetworkClassifier.fit`.
            y: one number per example, or (examples, targets).
            sample_weight: the weight of each example in the loss; one of weight 0 is left out.

        Raises:
            ValueError: the data are invalid, or no network could be trained on them.
        """
        X, y = validate_data(
            self,
            X,
            y,
            ensure_2d=_is_table(X),
            allow_nd=True,
            ensure_min_samples=2,
            multi_output=True,
            y_numeric=True,
        )
        X, y, weights = _weighted(X, y, sample_weight)
        self._one_target = y.ndim == 1
        task = Regression() if self.task is None else self.task
        self._fit(X, torch.from_numpy(np.array(y, dtype=np.float64)), weights, task)
        return self

    def predict(self, X: Any) -> Float64[np.ndarray, "examples ..."]:
        """Return the targets of each example, in their own units and in the shape of `y`.

        Raises:
            NotFittedError: `fit` was not called.
            ValueError: the examples differ in shape from those given to `fit`.
        """
        predicted = np.asarray(self._outputs(X).numpy())
        return predicted[:, 0] if self._one_target else predicted

    def __sklearn_tags__(self) -> Any:
        """Return the tags of scikit-learn: several targets are possible."""
        tags = super().__sklearn_tags__()  # type: ignore[no-untyped-call]
        tags.target_tags.multi_output = True
        return tags


def _is_table(examples: Any) -> bool:
    return (examples.ndim if hasattr(examples, "ndim") else np.asarray(examples).ndim) < 3


def _weighted(
    X: Shaped[np.ndarray, "examples ..."], y: Shaped[np.ndarray, "examples ..."], sample_weight: Any
) -> tuple[np.ndarray, np.ndarray, Float[Tensor, " examples"] | None]:
    """Return the examples whose weight is not 0, with weights of mean 1; None: all alike."""
    if sample_weight is None:
        return X, y, None
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64)
    if weights.min() < 0 or not weights.any():
        raise DataError(
            f"the sample weights lie between {weights.min():g} and {weights.max():g}: they must be "
            "0 or more, and not all 0"
        )
    counting = weights > 0
    scaled = weights[counting] / weights[counting].mean()
    return X[counting], y[counting], torch.from_numpy(scaled.astype(np.float32))
