"""Candidates of a large space, and a local search for those of the highest scores.

The best network of a surrogate is often several changes away from the networks that were evaluated,
and no random network is near it. In a space of repeated choices, such as the layers of a
transformer, a whole front is out of reach without it (`benchmarks/hw_gpt.py`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import ByVector, Candidates, Pool
from bonas.acquisition.feasibility import highest_admitted
from fidelity.history.goal import Goal
from fidelity.history.history import History
from spaces.configurations.families import families
from spaces.configurations.mutation import mutate
from spaces.space import Space, SpaceError

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

ROUNDS = 4
STARTS = 4
"""Candidates whose neighbours are scored in each round."""

PAIRS = 60
"""Random pairs of changes to each of them, scored with its neighbours."""

KEPT = 40
"""Visited candidates, the highest scores first, that the local search adds to the others."""

Score = Callable[[Sequence[Configuration]], "Float[Tensor, ' m']"]
Scored = tuple[float, Configuration]


@dataclass
class Climbing:
    """The candidates of one space, and a local search in a large space with repeated choices.

    Only the network of a proposal has to be new, so that candidates of a large space are told apart
    by their configurations: computing the graphs of a thousand transformers takes seconds.

    Attributes:
        space: the search space.
        settings: of the candidates.
        pool: of the space, by the keys of networks.
    """

    space: Space
    settings: Candidates
    pool: Pool
    _large: Pool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the pool of a large space."""
        self._large = Pool(self.space, self.settings, ByVector())

    @cached_property
    def _climbs(self) -> bool:
        """Whether there is a local search: in a large space with repeated choices."""
        return self.pool.listed is None and bool(families(self.space.configuration_space))

    def unseen(
        self, history: History, best: Sequence[Configuration], rng: np.random.Generator
    ) -> list[Configuration]:
        """Return candidates whose configurations were not evaluated; see `Pool.unseen`.

        Args:
            history: of the search.
            best: the evaluated configurations, the best first.
            rng: the source of randomness.

        Raises:
            Exhausted: there is none, or none was found.
        """
        trials = len(history.trials)
        if not self._climbs:
            return list(self.pool.unseen(history.keys(), best, trials, rng).values())
        asked = {ByVector().key(trial.configuration) for trial in history.trials}
        return list(self._large.unseen(asked, best, trials, rng).values())

    def climbed(
        self, history: History, candidates: Sequence[Configuration], score: Score
    ) -> list[Configuration]:
        """Return the best candidates of a local search; none in a space that has no such search.

        A surrogate that reads graphs has no use for it: the graphs of its steps take too long.

        It starts from the candidates of the highest scores, which satisfy the constraints that are
        computable before training, and ends when their neighbours are no better.

        Args:
            history: of the search.
            candidates: the result of `unseen`.
            score: of candidates; scores of different calls can be compared.
        """
        if not self._climbs:
            return []
        seen = {ByVector().key(c) for c in candidates}
        seen |= {ByVector().key(trial.configuration) for trial in history.trials}
        best = _best(_scored(candidates, score), history.goal)
        visited: list[Scored] = []
        for _ in range(ROUNDS):
            near = {
                key: c for _, start in best for key, c in self._steps(start, history.goal).items()
            }
            new = [configuration for key, configuration in near.items() if key not in seen]
            seen |= near.keys()
            steps = _scored(new, score)
            visited += steps
            higher = _best([*best, *steps], history.goal)
            if not higher or higher[0] is best[0]:
                break
            best = higher
        return [configuration for _, configuration in sorted(visited, key=_descending)[:KEPT]]

    def _steps(self, start: Configuration, goal: Goal) -> dict[str, Configuration]:
        """Return the neighbours of a configuration; with a computable constraint, pairs of changes.

        At its border, one change has to make room for another.
        """
        if not any(constraint.name in goal.computed for constraint in goal.constraints):
            return self._large.near(start)
        rng = np.random.default_rng(0)
        steps = {ByVector().key(c): c for c in _pairs(start, rng)}
        return {**self._large.near(start), **steps}

    def index(
        self,
        scores: Float[Tensor, " m"],
        candidates: Sequence[Configuration],
        history: History,
    ) -> int | None:
        """Return the index of the highest score of a new network; None if none is new.

        Networks that violate a constraint computable before training come after all others.

        Args:
            scores: of the candidates; NaN comes last.
            candidates: of `unseen` and `climbed`.
            history: of the search.
        """
        if not self._climbs:
            return highest_admitted(scores, candidates, history.goal)
        asked = history.keys()
        order = scores.nan_to_num(nan=-math.inf).argsort(descending=True, stable=True).tolist()
        admitted = (i for i in order if history.goal.admits(candidates[i]))
        for index in itertools.chain(admitted, order):
            if self.pool.keys.key(candidates[index]) not in asked:
                return int(index)
        return None


def _pairs(start: Configuration, rng: np.random.Generator) -> Iterator[Configuration]:
    try:
        for _ in range(PAIRS):
            yield mutate(start, rng, changes=2)
    except SpaceError:  # forbidden clauses leave nothing to change
        return


def _scored(candidates: Sequence[Configuration], score: Score) -> list[Scored]:
    if not candidates:
        return []
    scores = score(candidates).nan_to_num(nan=-math.inf).tolist()
    return list(zip(scores, candidates, strict=True))


def _best(scored: Sequence[Scored], goal: Goal) -> list[Scored]:
    """Return the highest scores that satisfy the computable constraints."""
    order = sorted(scored, key=_descending)
    return list(itertools.islice((pair for pair in order if goal.admits(pair[1])), STARTS))


def _descending(pair: Scored) -> float:
    return -pair[0]
