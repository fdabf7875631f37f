from __future__ import annotations

import pytest
import torch
from torch import Tensor

from fidelity.tasks import Classification, NextToken, Regression, Segmentation, Task
from fidelity.tasks.suited import suited_task


@pytest.mark.parametrize(
    ("inputs", "targets", "wanted"),
    [
        (torch.ones(4, 3), torch.arange(4), Classification()),
        (torch.ones(4, 3), torch.rand(4), Regression()),
        (torch.ones(4, 3), torch.rand(4, 2), Regression()),
        (torch.ones(4, 1, 2, 3), torch.ones(4, 2, 3).long(), Segmentation()),
        (torch.ones(4, 1, 3), torch.ones(4, 3).long(), Segmentation()),
        (torch.ones(4, 3).long(), torch.full((4, 3), 6), NextToken(7)),
        (torch.ones(4, 3).long(), torch.arange(4), Classification()),
    ],
)
def test_types_and_shapes_tell_the_task(inputs: Tensor, targets: Tensor, wanted: Task) -> None:
    assert suited_task(inputs, targets) == wanted
