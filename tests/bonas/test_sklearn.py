"""The classifier: scikit-learn's own checks, and what they don't know of."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from bonas.sklearn import NetworkSearch
from bonas.strategies.random_search import RandomSearch
from spaces.cells.cell import CellSpace
from spaces.perceptrons import Perceptrons


def tiny(**more: Any) -> NetworkSearch:
    settings: dict[str, Any] = {
        "strategy": RandomSearch(),
        "evaluations": 2,
        "max_epochs": 4.0,
        "batch_size": 8,
        "random_state": 0,
    }
    return NetworkSearch(Perceptrons(depth=1, widths=(16, 32)), **(settings | more))


# All of them apply: there is no check that may fail.
@parametrize_with_checks([tiny()])
def test_scikit_learn(estimator: NetworkSearch, check: Any) -> None:
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
        logits = found.network_(torch.from_numpy(X)[:, :, None, None])
    np.testing.assert_array_equal(logits.argmax(1).numpy(), labels)


def test_images_that_may_be_signals_are_asked_for() -> None:
    with pytest.raises(ValueError, match="signals of 2 channels and length 40"):
        tiny().fit(np.zeros((20, 2, 40)), np.arange(20) % 2)


def test_the_final_network_is_trained_on_all_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    training = NetworkSearch._training

    def noted(self: NetworkSearch, dataset: Any) -> Any:
        sizes.append(len(dataset.train))
        return training(self, dataset)

    monkeypatch.setattr(NetworkSearch, "_training", noted)
    X, y = load_iris(return_X_y=True)
    tiny(evaluations=1, max_epochs=1.0, validation=0.3).fit(X, y)
    assert sizes == [105, 150]


def test_it_works_within_pipelines_and_cross_validation() -> None:
    X, y = load_iris(return_X_y=True)
    made = make_pipeline(StandardScaler(), tiny(max_epochs=12.0))
    assert cross_val_score(made, X, y, cv=2).min() > 0.8
    assert clone(made).get_params()["networksearch__max_epochs"] == 12.0


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
    with pytest.raises(ValueError, match=r"expected a table \(examples, features\), or images"):
        tiny().fit(np.zeros((10, 1, 1, 2, 2)), y[45:55])
    with pytest.raises(ValueError, match="raise the limits of the search"):
        tiny(evaluations=None, epochs=1.0).fit(X, y)
    with pytest.raises(ValueError, match="cannot be split off"):
        tiny().fit(X[:51], y[:51])
