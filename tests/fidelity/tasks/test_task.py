from __future__ import annotations

import pytest
import torch

from fidelity.tasks import Classification, Measure, MultiLabel, NextToken, Regression, Segmentation
from fidelity.tasks.task import Task


def test_a_cost_is_shown_in_its_unit() -> None:
    assert Measure("error", fraction=True).text(0.01234) == "1.23%"
    assert Measure("RMSE").text(12.3456) == "12.35"
    assert Measure("RMSE").text(12.3456, decimals=0) == "12"


@pytest.mark.parametrize(
    ("task", "targets", "right"),
    [
        (Classification(), torch.arange(6) % 3, (6, 3)),
        (MultiLabel(), torch.ones(6, 2), (6, 2)),
        (Regression(), torch.arange(6.0), (6, 1)),
        (Regression(), torch.arange(12.0).reshape(6, 2), (6, 2)),
        (Segmentation(), torch.arange(96).reshape(6, 4, 4) % 3, (6, 3, 4, 4)),
        (NextToken(5), torch.ones(6, 4, dtype=torch.int64), (6, 5, 4)),
    ],
)
@pytest.mark.parametrize("more", [-1, 1, 6])
def test_a_network_with_another_number_of_outputs_is_refused_with_both_shapes(
    task: Task, targets: torch.Tensor, right: tuple[int, ...], more: int
) -> None:
    criterion = task.criterion(targets)
    assert criterion.losses(torch.zeros(right), targets).shape == (6,)
    wrong = (right[0], right[1] + more, *right[2:])
    with pytest.raises(ValueError, match="the number of outputs that the constructor") as error:
        criterion.losses(torch.zeros(wrong), targets)
    assert str(wrong) in str(error.value)
    assert str(right) in str(error.value)


def test_outputs_without_their_dimension_are_refused_instead_of_broadcast() -> None:
    targets = torch.arange(6.0)
    with pytest.raises(ValueError, match=r"returns the shape \(6,\) .* need \(6, 1\)"):
        Regression().criterion(targets).losses(torch.zeros(6), targets)
