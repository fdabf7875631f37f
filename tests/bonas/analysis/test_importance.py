from __future__ import annotations

import numpy as np
import pytest
from ConfigSpace import Categorical, ConfigurationSpace, EqualsCondition, Float

from bonas.analysis.importance import (
    Importance,
    hyperparameter_importance,
    operation_importance,
)
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.space import sample
from tests.bonas.plot.searches import TABLE, full


def history(size: int = 60) -> History:
    """Costs that depend on `kind` most, on `rate` less, and on `nothing` not at all."""
    space = ConfigurationSpace()
    kind, nothing = Categorical("kind", ["a", "b"]), Float("nothing", (0.0, 1.0))
    rate = Float("rate", (0.0, 1.0))
    space.add(kind, nothing, rate)
    space.add(EqualsCondition(rate, kind, "a"))
    made = History(space)
    for number, chosen in enumerate(sample(space, size, np.random.default_rng(0))):
        trial = Trial(number, chosen, f"key{number}", 1.0)
        made.add_trial(trial)
        cost = 3.0 if chosen["kind"] == "b" else float(chosen["rate"])
        made.add_evaluation(Evaluation(trial, cost=cost))
    return made


def test_what_matters_most_comes_first() -> None:
    found = hyperparameter_importance(history(), np.random.default_rng(0))
    assert next(iter(found)) == "kind"
    assert found["kind"].mean > 0.5
    assert abs(found["nothing"].mean) < 0.05
    assert found["rate"].mean > found["nothing"].mean
    assert all(value.error >= 0 for value in found.values())


def test_the_same_generator_gives_the_same() -> None:
    first = hyperparameter_importance(history(), np.random.default_rng(1), shuffles=1)
    assert first == hyperparameter_importance(history(), np.random.default_rng(1), shuffles=1)
    assert first["kind"].error == 0.0


def test_convolutions_matter_in_real_networks() -> None:
    found = operation_importance(TABLE.space, full(0, 60), np.random.default_rng(0))
    assert next(iter(found)) == "nor_conv_3x3"
    assert set(found) == {"nor_conv_3x3", "avg_pool_3x3"}  # an identity is no node


def test_few_networks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"4 networks with .* evaluate 10 networks or more"):
        hyperparameter_importance(history(4), np.random.default_rng(0))


def test_a_penalty_hides_nothing() -> None:
    seen = history()
    made = History(seen.space)
    for trial, e in zip(seen.trials, seen.evaluations, strict=True):
        made.add_trial(trial)
        made.add_evaluation(Evaluation(trial, cost=1e300 if trial.number == 7 else e.cost))
    found = hyperparameter_importance(made, np.random.default_rng(0))
    assert next(iter(found)) == "kind"
    assert abs(found["nothing"].mean) < found["kind"].mean < 2


def test_an_importance_prints_as_a_number_with_its_error() -> None:
    assert repr(Importance(0.51234, 0.0213)) == "Importance(0.512 ± 0.02)"
