"""Classifier and regressor: scikit-learn's own checks, and what they don't know of."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris, load_linnerud
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from bonas.sklearn import NetworkClassifier, NetworkEstimator, NetworkRegressor
from bonas.strategies.random_search import RandomSearch
from fidelity.tasks.classification import Classification
from fidelity.tasks.regression import Regression
from fidelity.training.optimizers import SGD
from spaces.cells.cell import CellSpace
from spaces.hierarchical.macro_space import MacroSpace
from spaces.perceptrons import Perceptrons
from spaces.sequences.sequence_space import SequenceSpace

SETTINGS: dict[str, Any] = {
    "strategy": RandomSearch(),
    "evaluations": 2,
    "max_epochs": 4.0,
    "batch_size": 8,
    "random_state": 0,
}


def tiny(**more: Any) -> NetworkClassifier:
    return NetworkClassifier(Perceptrons(depth=1, widths=(16, 32)), **(SETTINGS | more))


def regressor(**more: Any) -> NetworkRegressor:
    return NetworkRegressor(Perceptrons(depth=1, widths=(16, 32)), **(SETTINGS | more))


# A training in batches of random order is another one if examples are repeated: that a weight of 2
# equals an example given twice holds in expectation only.
EXPECTED = {
    "check_sample_weight_equivalence_on_dense_data": "the order of the examples is random",
}


# All of the others apply: there is no check that may fail.
@parametrize_with_checks(
    [tiny(), regressor(max_epochs=12.0)], expected_failed_checks=lambda estimator: EXPECTED
)
def test_scikit_learn(estimator: NetworkEstimator, check: Any) -> None:
    assert check(estimator) is None


def test_tables_are_learned_and_scored() -> None:
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    found = tiny(evaluations=4, max_epochs=12.0).fit(X, names)
    assert found.score(X, names) > 0.9
    assert found.n_features_in_ == 4
    assert list(found.classes_) == ["setosa", "versicolor", "virginica"]
    assert len(found.search_history_) == 4
    assert found.incumbent_ is found.search_history_.incumbent
    probabilities = found.predict_proba(X)
    assert probabilities.shape == (150, 3)
    np.testing.assert_allclose(probabilities.sum(1), 1)
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.predict(X), found.predict(X))


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_images_are_learned_by_cells_and_keep_their_scale(dtype: type) -> None:
    images = load_digits().images[:120].astype(dtype)
    labels = load_digits().target[:120]
    cells = CellSpace(nodes=3, channels=4, cells=1, stages=1)
    found = tiny(evaluations=1, max_epochs=2.0).set_params(space=cells).fit(images, labels)
    assert found.predict(images).shape == (120,)
    same = found.predict_proba(images[:, None])
    np.testing.assert_allclose(same, found.predict_proba(images), atol=1e-6)
    with torch.no_grad():
        logits = found.network_(torch.from_numpy(images[:, None]).float())
    np.testing.assert_allclose(logits.softmax(1).numpy(), same, atol=1e-6)
    with pytest.raises(ValueError, match="those of fit had"):
        found.predict(images[:, :, :4])


def test_a_column_of_seconds_since_1970_is_learned() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(200) % 2
    X = np.stack([1.7e9 + 60 * labels + rng.uniform(0, 40, 200), rng.normal(size=200)], axis=1)
    found = tiny(max_epochs=12.0).fit(X, labels)
    assert found.score(X, labels) == 1
    assert found.score(X[:1], labels[:1]) == 1
    with torch.no_grad():
        logits = found.network_(torch.from_numpy(X))
    np.testing.assert_array_equal(logits.argmax(1).numpy(), labels)


def test_images_that_may_be_signals_are_asked_for() -> None:
    with pytest.raises(ValueError, match="signals of 2 channels and length 40"):
        tiny().fit(np.zeros((20, 2, 40)), np.arange(20) % 2)


def test_the_final_network_is_trained_on_all_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    training = NetworkEstimator._training

    def noted(self: NetworkEstimator, dataset: Any) -> Any:
        sizes.append(len(dataset.train))
        return training(self, dataset)

    monkeypatch.setattr(NetworkEstimator, "_training", noted)
    X, y = load_iris(return_X_y=True)
    tiny(evaluations=1, max_epochs=1.0, validation=0.3).fit(X, y)
    assert sizes == [105, 150]


def test_it_works_within_pipelines_and_cross_validation() -> None:
    X, y = load_iris(return_X_y=True)
    made = make_pipeline(StandardScaler(), tiny(max_epochs=12.0))
    assert cross_val_score(made, X, y, cv=2).min() > 0.8
    assert clone(made).get_params()["networkclassifier__max_epochs"] == 12.0


def test_the_same_random_state_finds_the_same() -> None:
    X, y = load_iris(return_X_y=True)
    one, same = (tiny().fit(X, y).predict_proba(X) for _ in range(2))
    other = tiny(random_state=1).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_directory_is_resumed(tmp_path: Any) -> None:
    X, y = load_iris(return_X_y=True)
    tiny(directory=tmp_path).fit(X, y)
    found = tiny(directory=tmp_path, evaluations=3).fit(X, y)
    assert len(found.search_history_) == 3


def test_what_cannot_be_is_refused() -> None:
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="only 1 class, 2"):
        tiny().fit(X[100:], y[100:])
    with pytest.raises(ValueError, match=r"expected images .*, or a table \(examples, features\)"):
        tiny().fit(np.zeros((10, 1, 1, 2, 2)), y[45:55])
    with pytest.raises(ValueError, match="raise the limits of the search"):
        tiny(evaluations=None, epochs=1.0).fit(X, y)
    with pytest.raises(ValueError, match="cannot be split off"):
        tiny().fit(X[:51], y[:51])
    with pytest.raises(ValueError, match="lie between -1 and 1: they must be 0 or more"):
        tiny().fit(X, y, sample_weight=np.where(y == 0, -1.0, 1.0))


def test_numbers_are_predicted_in_their_own_units() -> None:
    X, y = load_diabetes(return_X_y=True)
    found = regressor(batch_size=32, max_epochs=12.0).fit(X, y)
    assert found.score(X, y) > 0.4
    assert found.predict(X).shape == (442,)
    with torch.no_grad():
        predicted = found.network_(torch.from_numpy(X))
    np.testing.assert_allclose(predicted[:, 0].numpy(), found.predict(X))
    again = pickle.loads(pickle.dumps(found))
    np.testing.assert_array_equal(again.predict(X), found.predict(X))


def test_several_targets_are_predicted_each_in_its_units() -> None:
    X, y = load_linnerud(return_X_y=True)
    found = regressor(max_epochs=20.0, task=Regression("r2")).fit(
        X, y * np.array([1.0, 100.0, 0.01])
    )
    predicted = found.predict(X)
    assert predicted.shape == (20, 3)
    np.testing.assert_allclose(predicted.mean(0), y.mean(0) * [1.0, 100.0, 0.01], rtol=0.2)
    assert "r2s" in found.incumbent_.metrics


def test_the_cost_is_that_of_the_task() -> None:
    X, y = load_iris(return_X_y=True)
    found = tiny(task=Classification("balanced_error"), max_epochs=1.0).fit(X[:130], y[:130])
    assert found.incumbent_.cost == found.incumbent_.metrics["balanced_error"]


def test_the_optimizer_is_the_one_given() -> None:
    X, y = load_iris(return_X_y=True)
    still = [tiny(optimizer=SGD(1e-12), max_epochs=epochs).fit(X, y) for epochs in (1.0, 4.0)]
    np.testing.assert_allclose(still[0].predict_proba(X), still[1].predict_proba(X), atol=1e-5)


def test_weights_count_in_the_loss() -> None:
    """Where two classes share all inputs, their weights decide the probabilities."""
    X, y = np.zeros((200, 2)), np.arange(200) % 2
    X[:, 1] = np.random.default_rng(0).normal(size=200)
    weighted = tiny(max_epochs=12.0).fit(X, y, sample_weight=np.where(y == 1, 9.0, 1.0))
    assert abs(weighted.predict_proba(X)[:, 1].mean() - 0.9) < 0.05
    assert abs(tiny(max_epochs=12.0).fit(X, y).predict_proba(X)[:, 1].mean() - 0.5) < 0.1
    spread = np.where(y == 1, 900.0, 100.0)
    heavy = regressor(max_epochs=12.0).fit(X, y, sample_weight=spread)
    assert abs(heavy.predict(X).mean() - 0.9) < 0.05


def test_examples_of_weight_zero_are_left_out() -> None:
    X, y = load_iris(return_X_y=True)
    counting = np.arange(150) % 3 > 0
    all_given = tiny().fit(X, y, sample_weight=counting.astype(float))
    some = tiny().fit(X[counting], y[counting], sample_weight=np.full(100, 5.0))
    np.testing.assert_array_equal(all_given.predict_proba(X), some.predict_proba(X))


def test_signals_and_tokens_are_learned() -> None:
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    signals = rng.normal(size=(60, 2, 16)) + y[:, None, None]
    space = MacroSpace.small(widths=(4, 8))
    found = tiny(kind="signals", evaluations=1).set_params(space=space).fit(signals, y)
    assert found.predict(signals).shape == (60,)
    one = tiny(kind="signals", evaluations=1).set_params(space=space).fit(signals[:, 0], y)
    np.testing.assert_array_equal(one.predict(signals[:, 0]), one.predict(signals[:, :1]))
    tokens = rng.integers(5, size=(60, 6)) + 5 * y[:, None]
    sequences = SequenceSpace(10, widths=(8,), depth=(1, 1))
    found = tiny(kind="tokens", max_epochs=12.0).set_params(space=sequences).fit(tokens, y)
    assert found.score(tokens, y) > 0.9
