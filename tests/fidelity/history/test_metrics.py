from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fidelity.history.metrics import checked, plain_metrics, shown
from fidelity.history.records import evaluation_record, read_evaluation
from fidelity.history.trial import Evaluation, Status, Trial
from tests.fidelity.fakes import TinySpace

TRIAL = Trial(3, TinySpace().of("convolution"), key="k", budget=9.0)


class Speechless:
    def __repr__(self) -> str:
        raise ValueError("no words")


def circular() -> dict[str, Any]:
    metrics: dict[str, Any] = {"loss": 1.0}
    metrics["itself"] = metrics
    return metrics


@pytest.mark.parametrize(
    ("metrics", "plain"),
    [
        ({"loss": 1.5, "epochs": 3, "note": "fine", "good": True, "none": None}, None),
        ({"nested": {"a": [1, {"b": 2}]}}, None),
        ({1: 0.5, (2, 3): 0.25, None: 1}, {"1": 0.5, "(2, 3)": 0.25, "None": 1}),
        ({"per class": {0: 0.5, 1: 0.25}}, {"per class": {"0": 0.5, "1": 0.25}}),
        ({"t": (1, 2)}, {"t": [1, 2]}),
        ({"n": np.int64(3), "x": torch.tensor(0.5)}, {"n": 3, "x": 0.5}),
        ({"odd": Path("x"), "complex": np.complex128(1j)}, {"odd": "x", "complex": "1j"}),
    ],
)
def test_plain_values_are_kept_and_others_become_text(metrics: Any, plain: Any) -> None:
    assert plain_metrics(metrics) == (metrics if plain is None else plain)


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        (circular(), "RecursionError"),
        ({"what": Speechless()}, "no words"),
        ({Speechless(): 1.0}, "no words"),
        ({1: 0.5, "1": 0.25}, "two keys have the text '1'"),
        ({"digits": 10**5000}, "ValueError"),
        (3, "AttributeError"),
    ],
)
def test_metrics_that_cannot_be_recorded_are_a_crash(metrics: Any, reason: str) -> None:
    evaluation = checked(Evaluation(TRIAL, 0.5, metrics, ((1.0, 0.5),), seconds=2.0))
    assert evaluation.status is Status.CRASHED
    assert evaluation.cost == math.inf
    assert evaluation.metrics == {}
    assert (evaluation.curve, evaluation.seconds) == (((1.0, 0.5),), 2.0)
    assert reason in str(evaluation.error)


@pytest.mark.parametrize("curve", [[3], [(1, 2, 3)], [(1, None)], None, [("a", 1)], 7])
def test_a_curve_of_other_things_than_pairs_is_a_crash(curve: Any) -> None:
    evaluation = checked(Evaluation(TRIAL, 0.5, {"loss": 1.0}, curve))
    assert evaluation.status is Status.CRASHED
    assert (evaluation.curve, evaluation.metrics) == ((), {"loss": 1.0})
    assert "the curve of the objective cannot be recorded" in str(evaluation.error)


def test_what_is_checked_is_read_back_as_it_is() -> None:
    evaluation = checked(
        Evaluation(
            TRIAL,
            np.float32(0.5),  # type: ignore[arg-type]
            {(1, 2): (np.int64(1), {"deep": (1,)})},
            [(np.int64(1), np.float32(0.5))],  # type: ignore[arg-type]
            np.float64(1.0),
        )
    )
    assert evaluation.succeeded
    read = read_evaluation(json.loads(json.dumps(evaluation_record(evaluation))), TRIAL)
    assert read == evaluation


def test_a_failure_keeps_its_own_reason() -> None:
    failed = Evaluation(TRIAL, metrics=circular(), status=Status.TIMEOUT, error="too slow")
    assert checked(failed).error == "too slow"


def test_values_in_messages_are_short_and_never_fail() -> None:
    assert shown([1]) == "[1]"
    assert len(shown("x" * 10**6)) < 300
    assert shown(Speechless()) == "a Speechless"
