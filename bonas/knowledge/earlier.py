"""An earlier search as a source of predictions: its surrogate's posterior mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace

from bonas.knowledge.knowledge import Memo
from bonas.knowledge.learned import Learned
from bonas.surrogates.observations import observations
from bonas.surrogates.transform import Floats, normal_scores
from fidelity.history.history import History
from fidelity.history.journal import JournalError
from fidelity.history.ranking import ranked
from spaces.encoding import Encoder, Encoding, Layout, configuration_columns
from spaces.space import Space, SpaceError, configuration, sample, values

if TYPE_CHECKING:
    from bonas.surrogates.surrogate import Surrogate

MIN_SUCCESSES = 3
"""Fewer successful evaluations teach nothing."""

REFERENCES = 200
"""Random networks in whose units the predictions are."""


class EarlierError(ValueError):
    """A history from which a search cannot learn; the message says why."""


@dataclass(frozen=True)
class EarlierSource:
    """A `Source`: the posterior mean of a surrogate of an earlier search.

    Only ranks matter, so its objective may have another unit or other data. Where the two spaces
    have the same hyperparameters, networks are compared as in the search itself; otherwise by the
    hyperparameters that both spaces define in the same way.

    Attributes:
        memo: predicts.
    """

    agreement: ClassVar[float] = 0.7

    memo: Memo

    def known(self, history: History) -> bool:
        """See `Source.known`."""
        return True

    def predictions(
        self, history: History, configurations: Sequence[Configuration]
    ) -> Floats | None:
        """See `Source.predictions`."""
        return self.memo(configurations)


@dataclass(frozen=True)
class SharedColumns:
    """Rows of configurations of two spaces, by the hyperparameters that both have.

    Attributes:
        space: of these hyperparameters, without conditions: an inactive value is one more value.
        depth: of the (empty) histograms of the graph.
    """

    space: ConfigurationSpace
    depth: int

    def __call__(self, configurations: Sequence[Configuration]) -> Encoding:
        """Return the rows of configurations of either space."""
        vectors = []
        for each in configurations:
            names = list(each.config_space)
            vectors.append(each.get_array()[[names.index(name) for name in self.space]])
        rows, groups = configuration_columns(self.space, vectors)
        none = slice(rows.shape[1], rows.shape[1])
        return Encoding(rows, Layout(groups, (none,) * (self.depth + 1), none))


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
    encode = encoder.encode if alike else _shared_columns(own, shared, encoder.depth)
    return EarlierSource(Memo(Learned(encode, evaluated, targets, references, surrogate)))


def _shared_columns(space: ConfigurationSpace, names: Sequence[str], depth: int) -> SharedColumns:
    shared = ConfigurationSpace()
    shared.add([space[name] for name in names])
    return SharedColumns(shared, depth)


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
