"""Knowledge before the first training, as the strategies with a surrogate use it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from ConfigSpace import Configuration

from bonas.acquisition.candidates import ATTEMPTS, Pool
from bonas.knowledge.earlier import earlier_source
from bonas.knowledge.knowledge import Knowledge, Source
from bonas.knowledge.zero_cost import ZeroCost, ZeroCostSource
from bonas.strategies.strategy import Proposal, ScoreNetworks
from bonas.surrogates.tuning import round_size
from fidelity.history.history import History
from fidelity.history.trial import Evaluation
from spaces.encoding import Encoder, Encoding
from spaces.space import Space, sample

if TYPE_CHECKING:
    from bonas.surrogates.surrogate import Surrogate

Earlier = Sequence[History | str | Path]
"""Earlier searches: histories, or directories, which are only read."""

RANDOM_FIRST = 1
"""Random networks at the very beginning, which train while others are scored."""

SCREENED = 4
"""Networks of the initial design after these, each the most promising of `SCREENING` random ones;
any further ones are random again, in case the knowledge is wrong."""

SCREENING = 64


@dataclass(frozen=True)
class PriorKnowledge:
    """The knowledge of one search.

    Attributes:
        space: the search space.
        pool: of the strategy's candidates.
        zero_cost: which networks are scored; None scores none.
        knowledge: predicts.
    """

    space: Space
    pool: Pool
    zero_cost: ZeroCost | None
    knowledge: Knowledge

    def first(self, history: History, rng: np.random.Generator) -> Proposal | None:
        """Return a proposal of the initial design, or a request for scores; None: nothing is known.

        Args:
            history: of the search.
            rng: draws the networks that are scored or compared.

        Raises:
            Exhausted: every network has been proposed.
        """
        if history.networks < RANDOM_FIRST:
            return None
        if (request := self._request(history, rng)) is not None:
            return request
        if history.networks >= RANDOM_FIRST + SCREENED or not self.knowledge.known(history):
            return None
        unseen = list(self.pool.unseen(history.keys(), [], len(history.trials), rng).values())
        drawn = rng.permutation(len(unseen))[:SCREENING]
        compared = [unseen[index] for index in drawn]
        predicted = self.knowledge.predictions(history, history.evaluations, compared)
        if predicted is None:
            return None
        best_first = (compared[index] for index in np.argsort(-predicted, kind="stable"))
        # The most promising networks are large, and so the first to violate a constraint.
        return next((each for each in best_first if history.goal.admits(each)), None)

    def _request(self, history: History, rng: np.random.Generator) -> ScoreNetworks | None:
        """Return what is still to be scored."""
        zero_cost = self.zero_cost
        count = 0 if zero_cost is None else zero_cost.count(history.scores.training_images)
        if zero_cost is None or len(history.scores) >= count:
            return None
        # The same networks as before an interruption: the generator belongs to the trial.
        drawn: dict[str, Configuration] = {}
        for _ in range(ATTEMPTS):
            for configuration in sample(self.space.configuration_space, count, rng):
                drawn.setdefault(self.pool.keys.key(configuration), configuration)
            if len(drawn) >= count:
                break
        missing = [each for key, each in drawn.items() if key not in history.scores]
        missing = missing[: count - len(history.scores)]
        return ScoreNetworks(missing, zero_cost.proxies, zero_cost.images) if missing else None

    def extended(
        self,
        encoding: Encoding,
        history: History,
        evaluations: Sequence[Evaluation],
        configurations: Sequence[Configuration],
    ) -> Encoding:
        """Return an encoding with the predictions as its trend; unchanged if nothing is known.

        Sources are weighted by the evaluations on which the surrogate is tuned, so that the same
        history gives the same trend.

        Args:
            encoding: of the configurations.
            history: of the search.
            evaluations: all those to which the surrogate is fitted, in order.
            configurations: one per row.
        """
        seen = evaluations[: round_size(len(evaluations))]
        predicted = self.knowledge.predictions(history, seen, configurations)
        if predicted is None:
            return encoding
        rows = np.hstack([encoding.rows, predicted[:, None]])
        columns = slice(rows.shape[1] - 1, rows.shape[1])
        return Encoding(rows, replace(encoding.layout, trend=columns))


def prior_knowledge(
    zero_cost: ZeroCost | None,
    earlier: Earlier,
    space: Space,
    encoder: Encoder,
    pool: Pool,
    surrogate: Surrogate,
) -> PriorKnowledge:
    """Return the knowledge of one search.

    Args:
        zero_cost: which networks are scored; None scores none.
        earlier: searches from which this one learns.
        space: of the search.
        encoder: of the space.
        pool: of the strategy's candidates.
        surrogate: learns scores and earlier costs.

    Raises:
        EarlierError: nothing can be learned from one of the earlier searches.
    """
    sources: list[Source] = []
    if zero_cost is not None:
        sources.append(ZeroCostSource(encoder, surrogate))
    sources += [earlier_source(each, space, encoder, surrogate) for each in earlier]
    return PriorKnowledge(space, pool, zero_cost, Knowledge(sources))
