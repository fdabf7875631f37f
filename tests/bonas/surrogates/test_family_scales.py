from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import Tensor

from bonas.surrogates.gaussian_process import GaussianProcess
from bonas.surrogates.kernel import ConfigurationView
from bonas.surrogates.surrogate import mean
from bonas.surrogates.transform import normal_scores
from spaces.cells.cell import CellSpace
from spaces.encoding import Encoder, Encoding
from spaces.space import sample, values
from spaces.transformers.inputs import Tokens
from spaces.transformers.transformer_space import TransformerSpace

SPACE = TransformerSpace(Tokens(50, 16), (32, 64, 128), (10, 12), (2, 4, 8), (1, 2, 4), causal=True)
TRAINED, HELD_OUT = 20, 110


def problem(seed: int) -> tuple[Encoding, Tensor]:
    """Networks, and targets in which the width matters, and then the sum of all ratios."""
    networks = sample(SPACE.configuration_space, TRAINED + HELD_OUT, np.random.default_rng(seed))
    costs = []
    for network in networks:
        chosen = values(network)
        ratios = sum(value for name, value in chosen.items() if name.endswith("ratio"))
        costs.append(-np.log(chosen["width"]) * (1 + ratios / 40))
    targets = torch.from_numpy(normal_scores(np.array(costs)))[:, None]
    return Encoder(SPACE, 1).encode(networks), targets


@pytest.mark.parametrize("seed", range(3))
def test_scales_of_families_predict_a_sum_over_layers_better(seed: int) -> None:
    encoding, targets = problem(seed)
    rows, layout = torch.from_numpy(encoding.rows), encoding.layout
    correlations = []
    for each in (layout, replace(layout, families=())):
        model = GaussianProcess().fit(rows[:TRAINED], targets[:TRAINED], each)
        predicted = mean(model, rows[TRAINED:])[:, 0]
        correlations.append(spearmanr(predicted, targets[TRAINED:, 0]).statistic)
    assert 1 - correlations[0] < 0.7 * (1 - correlations[1])


def test_one_kind_of_choice_has_no_scales() -> None:
    cells = CellSpace.nasbench201()
    drawn = sample(cells.configuration_space, 30, np.random.default_rng(0))
    encoding = Encoder(cells, 1).encode(drawn)
    targets = torch.from_numpy(np.random.default_rng(1).normal(size=(30, 1)))
    tuned = GaussianProcess().tuned(torch.from_numpy(encoding.rows), targets, encoding.layout)
    assert tuned.views == GaussianProcess().views


def test_views_with_families_need_no_graphs() -> None:
    encoding, targets = problem(0)
    rows = torch.from_numpy(encoding.rows)
    tuned = GaussianProcess().tuned(rows[:TRAINED], targets[:TRAINED], encoding.layout)
    assert len(tuned.views) == 1
    assert not tuned.reads_graphs
    assert GaussianProcess().reads_graphs


def test_a_distance_is_in_units_of_the_scales() -> None:
    encoding, _ = problem(0)
    rows, layout = torch.from_numpy(encoding.rows), encoding.layout
    count = len(layout.families)
    near, far = (
        ConfigurationView((scale,) * count).squared_distances(rows, rows, layout)
        for scale in (2.0, 1.0)
    )
    torch.testing.assert_close(4 * near, far)
    assert float(far.diagonal().max()) < 1e-9
