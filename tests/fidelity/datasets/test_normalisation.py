from __future__ import annotations

import pytest
import torch
from torch import nn

from fidelity.datasets.normalisation import normalise
from fidelity.export.normalisation import Normalised
from fidelity.training.device_data import copy_to_device
from tests.fidelity.trained import DATASET


@pytest.mark.parametrize("kind", [torch.uint8, torch.int64, torch.float32, torch.float64])
def test_the_precision_is_that_of_the_scale(kind: torch.dtype) -> None:
    images, one = torch.ones(2, 1, 3, 3, dtype=kind), torch.ones(1, 1, 1, 1)
    assert normalise(images, one, one).dtype is torch.float32


def test_training_and_exported_network_normalise_alike_to_the_last_bit() -> None:
    data = copy_to_device(DATASET, torch.device("cpu"))
    exported = Normalised(nn.Identity(), data.statistics)
    assert torch.equal(exported(DATASET.test.inputs), data.normalise(DATASET.test.inputs))
