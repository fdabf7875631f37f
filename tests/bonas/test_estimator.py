"""The classifier: scikit-learn's own checks, and what they don't know of."""

from __future__ import annotations

from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from bonas.estimator import NetworkSearch
from bonas.strategies.random_search import RandomSearch
from spaces.perceptrons import Perceptrons

DOES_NOT_APPLY: dict[str, str] = {}


def tiny(**more: Any) -> NetworkSearch:
    settings: dict[str, Any] = {
        "strategy": RandomSearch(),
        "evaluations": 2,
        "max_epochs": 4.0,
        "batch_size": 8,
        "random_state": 0,
    }
    return NetworkSearch(Perceptrons(depth=1, widths=(16, 32)), **(settings | more))


@parametrize_with_checks(
    [tiny()], expected_failed_checks=lambda _: DOES_NOT_APPLY, xfail_strict=True
)
def test_scikit_learn(estimator: NetworkSearch, check: Any) -> None:
    assert check(estimator) is None
