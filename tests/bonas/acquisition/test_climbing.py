from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from ConfigSpace import Configuration
from torch import Tensor

from bonas.acquisition.candidates import Candidates, Pool
from bonas.acquisition.climbing import Climbing
from fidelity.history.goal import Constraint, Goal
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Trial
from spaces.cells.cell import CellSpace
from spaces.keys import Keys, trial_key
from spaces.space import Space, sample, values
from spaces.transformers.inputs import Tokens
from spaces.transformers.transformer_space import TransformerSpace

LARGE = TransformerSpace(Tokens(50, 16), (32, 64), (6, 8), (2, 4, 8), (1, 2, 4), causal=True)


def total(configuration: Configuration) -> float:
    return float(sum(v for n, v in values(configuration).items() if n.endswith("ratio")))


def score(candidates: Sequence[Configuration]) -> Tensor:
    return torch.tensor([total(each) for each in candidates], dtype=torch.float64)


def climbing(space: Space) -> Climbing:
    return Climbing(space, Candidates(samples=20), Pool(space, Candidates(), Keys(space)))


def history(evaluated: Sequence[Configuration], goal: Goal | None = None) -> History:
    made = History(LARGE.configuration_space, goal=goal or Goal())
    for number, configuration in enumerate(evaluated):
        trial = Trial(number, configuration, trial_key(LARGE, configuration), 1.0)
        made.add_trial(trial)
        made.add_evaluation(Evaluation(trial, 1.0))
    return made


def drawn(count: int, seed: int = 0) -> list[Configuration]:
    return sample(LARGE.configuration_space, count, np.random.default_rng(seed))


def test_a_climb_finds_what_no_candidate_reaches_in_one_change() -> None:
    local, evaluated = climbing(LARGE), history(drawn(3))
    unseen = local.unseen(evaluated, drawn(3), np.random.default_rng(1))
    visited = local.climbed(evaluated, unseen, score)
    assert score(visited).max() > score(unseen).max() + 1
    assert not {*visited} & {*unseen}
    assert not {*visited} & {*drawn(3)}


def test_a_climb_crosses_no_constraint_that_is_computed() -> None:
    limit = 12.0
    goal = Goal(constraints=(Constraint("ratios", at_most=limit),), computed={"ratios": total})
    local, evaluated = climbing(LARGE), history(drawn(3), goal)
    # What a constraint forbids would be best; below it, a sum of exactly the limit is.
    visited = local.climbed(evaluated, drawn(40, seed=2), score)
    unseen = [*drawn(40, seed=2), *visited]
    index = local.index(score(unseen), unseen, evaluated)
    assert index is not None
    assert total(unseen[index]) == limit


def test_a_space_that_is_listed_needs_no_climb() -> None:
    cells = CellSpace.nasbench201()
    local = climbing(cells)
    evaluated = History(cells.configuration_space)
    unseen = local.unseen(evaluated, [], np.random.default_rng(0))
    assert local.climbed(evaluated, unseen, lambda _: pytest.fail("nothing is scored")) == []


def test_the_highest_network_is_a_new_one() -> None:
    local, candidates = climbing(LARGE), drawn(5)
    scores = torch.arange(5, dtype=torch.float64)
    assert local.index(scores, candidates, history(candidates[3:])) == 2
    assert local.index(scores, candidates, history(candidates)) is None
