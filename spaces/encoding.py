"""Features of configurations and their architectures, as numpy arrays and free of torch.

A row holds three views of the same point:

- the configuration: each hyperparameter is a few columns in which the squared distance of two
  values is at most 1, and an inactive value is one more category (imputed conditionals);
- Weisfeiler-Lehman histograms of the canonical graph (Shervashidze et al. 2011, "Weisfeiler-
  Lehman graph kernels"; for NAS: Ru et al. 2021, "Interpretable NAS via BO with WL kernels");
- the path encoding (White et al. 2021, "BANANAS"): which sequences of operations lead from an
  input to the output.

Other numbers about a configuration, such as the resources of its network, may be added as
`features`. A space without `architecture` has no columns for the graph.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace
from ConfigSpace.hyperparameters import CategoricalHyperparameter, OrdinalHyperparameter
from numpy.typing import NDArray

from spaces.architecture.architecture import Architecture
from spaces.configurations.families import Family, families, family_columns
from spaces.keys import Keyed, graph_key, trial_key
from spaces.space import Space, provides

Floats = NDArray[np.float64]

MAX_PATHS = 256
"""Only the shortest paths are encoded, because their number grows exponentially with depth."""


def _digest(text: str) -> int:
    """Return a stable 63-bit name; Python's own hash differs from process to process."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1


@lru_cache(maxsize=65_536)
def _refined(label: int, sources: tuple[int, ...], readers: tuple[int, ...]) -> int:
    """Return the label of a node among its neighbours; the layers of a network repeat most."""
    return _digest(repr((label, list(sources), list(readers))))


def wl_labels(architecture: Architecture, depth: int) -> tuple[tuple[int, ...], ...]:
    """Return Weisfeiler-Lehman labels of the canonical graph's nodes.

    Args:
        architecture: the graph.
        depth: the number of rounds of refinement.

    Returns:
        For each depth 0..`depth` the label of every node. At depth 0 it names the operation, at
        depth h the subgraph within h edges, in which sources and readers differ.
    """
    nodes = architecture.canonical().nodes
    readers: list[list[int]] = [[] for _ in nodes]
    for position, node in enumerate(nodes):
        for source in node.inputs:
            readers[source].append(position)
    labels = [_digest(str(node.operation)) for node in nodes]
    rounds = [tuple(labels)]
    for _ in range(depth):
        labels = [
            _refined(
                labels[position],
                tuple(sorted(labels[i] for i in node.inputs)),
                tuple(sorted(labels[i] for i in readers[position])),
            )
            for position, node in enumerate(nodes)
        ]
        rounds.append(tuple(labels))
    return tuple(rounds)


def paths(architecture: Architecture) -> tuple[int, ...]:
    """Return the sequences of operations on paths from an input to the output, shortest first.

    Returns:
        One stable number for each of at most `MAX_PATHS` distinct sequences.
    """
    nodes = architecture.canonical().nodes
    sequences: dict[str, None] = {}
    # From the output backwards, so that every step is on a path; breadth-first is shortest-first.
    waiting = deque([(len(nodes) - 1, "")])
    steps = 0
    while waiting and len(sequences) < MAX_PATHS and steps < 16 * MAX_PATHS:
        position, behind = waiting.popleft()
        steps += 1
        if position < architecture.inputs:
            sequences[f"{position}{behind}"] = None
        for source in dict.fromkeys(nodes[position].inputs):
            waiting.append((source, f"/{nodes[source].operation}{behind}"))
    return tuple(_digest(path) for path in sequences)


@dataclass(frozen=True)
class Layout:
    """The meaning of the columns of an encoded row.

    Attributes:
        hyperparameters: the columns of each hyperparameter.
        depths: the columns of the Weisfeiler-Lehman histogram of each depth.
        paths: the columns of the path encoding.
        extra: the columns of the encoder's `features`, where it has any.
        budget: the column of the budget, where rows are points of space times budget.
        trend: the column of a prediction of the target, where there is one.
        families: the repeated choices of the space and their means; empty where it has none, see
            `spaces.configurations.families`.
    """

    hyperparameters: tuple[slice, ...]
    depths: tuple[slice, ...]
    paths: slice
    extra: slice | None = None
    budget: slice | None = None
    trend: slice | None = None
    families: tuple[Family, ...] = ()

    @property
    def configuration(self) -> slice:
        """The columns of all hyperparameters."""
        return slice(0, self.hyperparameters[-1].stop if self.hyperparameters else 0)


@dataclass(frozen=True)
class Encoding:
    """Configurations as rows of numbers.

    Attributes:
        rows: (configurations, columns).
        layout: the meaning of the columns.
    """

    rows: Floats
    layout: Layout


@dataclass(frozen=True)
class _Graph:
    key: str
    labels: tuple[NDArray[np.int64], ...]
    paths: NDArray[np.int64]


Features = Callable[[Configuration], Sequence[float]]
"""Numbers that describe a network, always as many: resources, zero-cost proxies.

Configurations of one network have the same features, which are computed for one of them."""


@dataclass
class Encoder:
    """Encodes the configurations of a space; everything about a graph is computed once.

    Attributes:
        space: the space of the configurations.
        depth: of the Weisfeiler-Lehman histograms.
        features: more numbers, computed once per key.
        paths: include the path encoding. In a large space hardly two networks share a path, so
            that it is wide and slow.
    """

    space: Space
    depth: int = 2
    features: Features | None = None
    paths: bool = True
    _features: dict[str, tuple[float, ...]] = field(init=False, default_factory=dict, repr=False)
    _graphs: dict[str, _Graph] = field(init=False, default_factory=dict, repr=False)
    _of_configuration: dict[bytes, _Graph] = field(init=False, default_factory=dict, repr=False)

    @cached_property
    def _without_graphs(self) -> bool:
        return not provides(self.space, "architecture")

    @cached_property
    def _families(self) -> tuple[tuple[int, ...], ...]:
        return families(self.space.configuration_space)

    def key(self, configuration: Configuration) -> str:
        """Return the key of a configuration in a history: see `trial_key`."""
        if isinstance(self.space, Keyed) or self._without_graphs:
            return trial_key(self.space, configuration)
        return graph_key(self.space, configuration, self._graph(configuration).key)

    def encode(self, configurations: Sequence[Configuration], *, graphs: bool = True) -> Encoding:
        """Return the rows of `configurations`, with the columns that occur, in a stable order.

        Args:
            configurations: of the space.
            graphs: compute the columns of graphs and paths; without them, most of the time is saved
                and they are empty.
        """
        vectors, groups = configuration_columns(
            self.space.configuration_space, [c.get_array() for c in configurations]
        )
        of = self._graph if graphs else self._no_graph
        found = [of(configuration) for configuration in configurations]
        blocks = [vectors]
        blocks += [
            _histogram([graph.labels[depth] for graph in found]) for depth in range(self.depth + 1)
        ]
        blocks.append(_histogram([graph.paths for graph in found]))
        if self.features is not None:
            blocks.append(_standardised([self._extra(c) for c in configurations]))
        ends = np.cumsum([block.shape[1] for block in blocks])
        slices = [slice(int(a), int(b)) for a, b in itertools.pairwise(ends)]
        extra = None if self.features is None else slices.pop()
        means, shared = family_columns(vectors, groups, self._families, int(ends[-1]))
        layout = Layout(groups, tuple(slices[:-1]), slices[-1], extra, families=shared)
        return Encoding(np.hstack([*blocks, means]), layout)

    def _extra(self, configuration: Configuration) -> tuple[float, ...]:
        assert self.features is not None
        key = self.key(configuration)
        if key not in self._features:
            self._features[key] = tuple(self.features(configuration))
        return self._features[key]

    def _no_graph(self, _: Configuration) -> _Graph:
        empty = np.empty(0, dtype=np.int64)
        return _Graph("", (empty,) * (self.depth + 1), empty)

    def _graph(self, configuration: Configuration) -> _Graph:
        if self._without_graphs:
            return self._no_graph(configuration)
        name = configuration.get_array().tobytes()
        graph = self._of_configuration.get(name)
        if graph is None:
            architecture = self.space.architecture(configuration)
            graph = self._graphs.get(architecture.key)
            if graph is None:
                graph = _Graph(
                    architecture.key,
                    tuple(np.array(labels) for labels in wl_labels(architecture, self.depth)),
                    np.array(paths(architecture) if self.paths else (), dtype=np.int64),
                )
                self._graphs[graph.key] = graph
            self._of_configuration[name] = graph
        return graph


def _standardised(values: Sequence[Sequence[float]]) -> Floats:
    """Scale columns to mean 0 and standard deviation 1; NaN becomes the mean, a constant 0."""
    array = np.array(values, dtype=np.float64).reshape(len(values), -1)
    array = np.where(np.isfinite(array), array, np.nan)
    finite = np.isfinite(array).any(axis=0)
    mean = np.where(finite, np.nanmean(np.where(finite, array, 0.0), axis=0), 0.0)
    centred = np.nan_to_num(array - mean)
    return np.asarray(centred / np.maximum(centred.std(axis=0), 1e-12))


def _histogram(labels: Sequence[NDArray[np.int64]]) -> Floats:
    """Count each label: (rows, distinct labels in ascending order)."""
    names, columns = np.unique(np.concatenate([*labels, []]).astype(np.int64), return_inverse=True)
    rows = np.repeat(np.arange(len(labels)), [len(row) for row in labels])
    cells = rows * len(names) + columns
    counts = np.bincount(cells, np.ones(len(cells)), len(labels) * len(names))
    return np.asarray(counts.reshape(len(labels), len(names)), dtype=np.float64)


def configuration_columns(
    space: ConfigurationSpace, vectors: Sequence[Floats]
) -> tuple[Floats, tuple[slice, ...]]:
    """Return hyperparameters as columns whose squared distances are comparable.

    Args:
        space: the space of the configurations.
        vectors: the result of `Configuration.get_array` for each of them.

    Returns:
        The columns (configurations, columns), and the columns of each hyperparameter. A choice
        is one-hot, scaled so that two different choices are at squared distance 1; a number is
        its position in [0, 1]; inactive is at squared distance 1 from every value.
    """
    array = np.array(vectors, dtype=np.float64).reshape(len(vectors), len(space))
    blocks: list[Floats] = []
    groups: list[slice] = []
    start = 0
    for column, hyperparameter in enumerate(space.values()):
        block = _columns(hyperparameter, array[:, column])
        blocks.append(block)
        groups.append(slice(start, start + block.shape[1]))
        start += block.shape[1]
    return np.hstack([np.empty((len(vectors), 0)), *blocks]), tuple(groups)


def _columns(hyperparameter: object, values: Floats) -> Floats:
    inactive = np.isnan(values)
    if isinstance(hyperparameter, CategoricalHyperparameter):
        values = np.where(inactive, hyperparameter.size, values)
        return np.asarray(np.eye(int(hyperparameter.size) + 1)[values.astype(int)] * np.sqrt(0.5))
    if isinstance(hyperparameter, OrdinalHyperparameter):
        values = values / max(int(hyperparameter.size) - 1, 1)
    # An inactive number sits at the middle of the range, and the second column adds 0.75 to its
    # squared distance from every value, which is therefore between 0.75 and 1.
    return np.stack([np.where(inactive, 0.5, values), np.sqrt(0.75) * inactive], axis=1)


def label_counts(architecture: Architecture, depth: int) -> tuple[Counter[int], ...]:
    """Return Weisfeiler-Lehman histograms: the count of each label, for each depth 0..`depth`.

    Args:
        architecture: the graph.
        depth: the number of rounds of refinement.
    """
    return tuple(Counter(labels) for labels in wl_labels(architecture, depth))
