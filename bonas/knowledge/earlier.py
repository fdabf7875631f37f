"""An earlier search as a source of predictions: its surrogate's posterior mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace

from bonas.knowledge.knowledge import Floats, standardised
from bonas.surrogates.observations import observations
from bonas.surrogates.transform import normal_scores
from fidelity.history.history import History
from fidelity.history.journal import JournalError
from fidelity.history.ranking import ranked
from spaces.encoding import Encoder, Layout, configuration_columns
from spaces.space import Space, SpaceError, configuration, sample, values

if TYPE_CHECKING:
    from torch import Tensor

    from bonas.surrogates.surrogate import Surrogate

MIN_SUCCESSES = 3
"""Fewer successful evaluations teach nothing."""

REFERENCES = 200
"""Random networks in whose units the predictions are."""


class EarlierError(ValueError):
    """A history from which a search cannot learn; the message says why."""


@dataclass(frozen=True)
class EarlierSource:
    """A `Source`: the posterior mean of the surrogate of an earlier search.

    Only ranks matter, so its objective may have another unit or other data. Where the two spaces
    have the same hyperparameters, networks are compared as in the search itself; otherwise by the
    hyperparameters that both spaces define in the same way.

    Attributes:
        columns: encodes evaluated and new configurations.
        evaluated: of the earlier search.
        targets: to be maximised, one per evaluated configuration.
        references: random configurations of the space.
        surrogate: learns the targets.
    """

    agreement: ClassVar[float] = 0.7

    columns: Columns
    evaluated: Sequence[Configuration]
    targets: Floats = field(repr=False)
    references: Sequence[Configuration] = field(repr=False)
    surrogate: Surrogate
    _tuned: list[Surrogate] = field(init=False, default_factory=list, repr=False)

    def known(self, history: History) -> bool:
        """See `Source.known`."""
        return True

    def predictions(
        self, history: History, configurations: Sequence[Configuration]
    ) -> Floats | None:
        """See `Source.predictions`."""
        import torch

        from bonas.surrogates.surrogate import mean, tuned

        rows, layout = self.columns(self.evaluated, [*self.references, *configurations])
        n, m = len(self.evaluated), len(self.references)
        learned = rows[:n], torch.from_numpy(self.targets)[:, None]
        if not self._tuned:
            self._tuned.append(tuned(self.surrogate, *learned, layout))
        with torch.no_grad():
            model = self._tuned[0].fit(*learned, layout)
            means = mean(model, rows[n:, None])[:, 0, 0].numpy()
        return standardised(means[m:], means[:m])


@dataclass(frozen=True)
class Columns:
    """Rows of configurations of an earlier space and of the space of a search.

    Attributes:
        encoder: of the space of the search.
        shared: the hyperparameters that both spaces define in the same way; empty if all are.
    """

    encoder: Encoder
    shared: Sequence[str]

    def __call__(
        self, earlier: Sequence[Configuration], new: Sequence[Configuration]
    ) -> tuple[Tensor, Layout]:
        """Return the rows of both, the earlier ones first, and their layout."""
        import torch

        if not self.shared:
            encoding = self.encoder.encode([*earlier, *new])
            return torch.from_numpy(encoding.rows), encoding.layout
        # Without conditions: an inactive value is one more value of each hyperparameter.
        space = ConfigurationSpace()
        space.add([self.encoder.space.configuration_space[name] for name in self.shared])
        names = list(space)
        vectors = [
            each.get_array()[[list(each.config_space).index(name) for name in names]]
            for each in (*earlier, *new)
        ]
        rows, groups = configuration_columns(space, vectors)
        end = slice(rows.shape[1], rows.shape[1])
        return torch.from_numpy(rows), Layout(groups, (end,) * (self.encoder.depth + 1), end)


def earlier_source(
    source: History | str | Path, space: Space, encoder: Encoder, surrogate: Surrogate
) -> EarlierSource:
    """Return what an earlier search knows about the networks of a space.

    Args:
        source: its history, or its directory, which is only read: it may still run.
        space: of the new search.
        encoder: of that space.
        surrogate: learns the earlier costs, at the highest budget with enough evaluations.

    Raises:
        EarlierError: there is no history, it has too few successes, or its space has nothing in
            common with the new one.
    """
    history, name = _history(source)
    own, other = space.configuration_space, history.space
    shared = [hp for hp in own if hp in other and own[hp] == other[hp]]
    if not shared:
        raise EarlierError(
            f"{name} has no hyperparameter in common with the space of this search: it has "
            f"{_listed(list(other))}, and the space {_listed(list(own))}; leave it out of `earlier`"
        )
    alike = len(shared) == len(own) == len(other)
    observed = observations(ranked(history), MIN_SUCCESSES)
    evaluated: list[Configuration] = []
    rows: list[int] = []
    for row, known in enumerate(observed.configurations):
        try:
            evaluated.append(configuration(own, values(known)) if alike else known)
            rows.append(row)
        except SpaceError:  # conditions or forbidden combinations differ
            continue
    successes = sum(observed.evaluations[row].succeeded for row in rows)
    if successes < MIN_SUCCESSES:
        raise EarlierError(
            f"{name} has {successes} successful evaluations at its best budget that this space "
            f"contains: {MIN_SUCCESSES} are needed to learn from; leave it out of `earlier`"
        )
    targets = normal_scores(observed.costs[rows])
    references = sample(own, REFERENCES, np.random.default_rng(0))
    columns = Columns(encoder, () if alike else shared)
    return EarlierSource(columns, evaluated, targets, references, surrogate)


def _history(source: History | str | Path) -> tuple[History, str]:
    if isinstance(source, History):
        return source, "an earlier history"
    if not isinstance(source, str | Path):
        raise EarlierError(
            f"`earlier` has {source!r}: expected the history of a search, or its directory"
        )
    try:
        return History.load(source), f"the earlier search in {source}"
    except (JournalError, OSError) as error:
        raise EarlierError(f"`earlier` has {source}, which cannot be read: {error}") from error


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return shown + (", ..." if len(names) > 5 else "")
