from __future__ import annotations

import numpy as np
import pytest

from bonas.plot import TSNE, Projection, embedding, principal_components
from bonas.plot.embedding import networks
from fidelity.history.history import History
from fidelity.schedules.schedule import Promote, Start
from tests.bonas.plot.pictures import check, named, paper
from tests.bonas.plot.searches import TABLE, full
from tests.fidelity.histories import end, space, start

TSNE_LABELS = ("t-SNE 1 (no unit)", "t-SNE 2 (no unit)")


def test_the_picture_of_a_real_search() -> None:
    ax = embedding(TABLE.space, full(), paper(4.4, 3.2), label="validation error (fraction)")
    assert named(ax)
    check(ax, "embedding")


def test_the_picture_of_a_projection_without_units() -> None:
    # What t-SNE finds depends on the processor: points on a spiral stand for it.
    def spiral(rows: np.ndarray) -> Projection:
        turn = np.linspace(1, 12, len(rows))
        return Projection(np.stack([turn * np.cos(turn), turn * np.sin(turn)], 1), TSNE_LABELS)

    ax = embedding(TABLE.space, full(), paper(4.4, 3.2), project=spiral)
    assert named(ax)
    check(ax, "embedding_spiral")


def test_components_by_hand() -> None:
    # On a line: everything is in the first component.
    found = principal_components(np.array([[0.0, 0.0], [3.0, 4.0], [6.0, 8.0]]))
    assert found.points == pytest.approx(np.array([[-5.0, 0], [0, 0], [5, 0]]), abs=1e-12)
    assert found.labels[0] == "component 1 (100% of variance)"
    assert found.labels[1] == "component 2 (0% of variance)"


def test_components_of_equal_rows_are_zeros() -> None:
    assert not principal_components(np.ones((4, 1))).points.any()


def test_tsne_keeps_groups_apart() -> None:
    rng = np.random.default_rng(0)
    rows = np.vstack([rng.normal(0, 0.1, (15, 5)), rng.normal(9, 0.1, (15, 5))])
    found = TSNE(perplexity=5)(rows)
    assert found.labels == TSNE_LABELS
    assert found.points.shape == (30, 2)
    middle = found.points[:15].mean(axis=0), found.points[15:].mean(axis=0)
    spread = np.abs(found.points[:15] - middle[0]).max()
    assert np.linalg.norm(middle[1] - middle[0]) > spread


def test_a_network_counts_once_at_its_highest_budget() -> None:
    history = History(space())
    first = start(history, Start(1.0), "a")
    end(history, first, 0.2)
    end(history, start(history, Promote(first, 3.0)), 0.3)
    end(history, start(history, Start(1.0), "b"), None)
    assert [evaluation.cost for evaluation in networks(history)] == [0.3]


def test_few_networks_are_refused() -> None:
    empty = History(TABLE.space.configuration_space)
    with pytest.raises(ValueError, match="0 networks have a cost: 3 or more"):
        embedding(TABLE.space, empty)


def test_a_projection_prints_its_axes() -> None:
    assert repr(Projection(np.zeros((200, 2)), ("x", "y"))) == "Projection(labels=('x', 'y'))"
