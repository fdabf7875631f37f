from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bonas.plot import critical_difference
from bonas.plot.critical_difference import cliques
from tests.bonas.plot.pictures import check, paper

# Demšar 2006, table 6 and figure 1a: four algorithms over 14 data sets, critical difference 1.25.
DEMSAR = {"C4.5": 3.143, "C4.5+m": 2.000, "C4.5+cf": 2.893, "C4.5+m+cf": 1.964}


def test_the_picture_of_demsar() -> None:
    check(critical_difference(DEMSAR, 1.25, paper(4, 2)), "critical_difference")


def test_the_picture_of_many_names() -> None:
    ranks = {f"method {i}": 1 + 0.8 * i for i in range(9)}
    check(critical_difference(ranks, 2.1, paper(4, 3.6)), "critical_difference_many")


def test_groups_of_demsar() -> None:
    # All four are within 1.25 of each other: 3.143 - 1.964 is 1.179.
    assert cliques(sorted(DEMSAR.values()), 1.25) == [(0, 3)]
    assert cliques(sorted(DEMSAR.values()), 1.0) == [(0, 2), (2, 3)]
    assert cliques([1.0, 2.0, 3.0], 1.0) == []
    assert cliques([1.0, 1.0], 0.1) == [(0, 1)]


@given(st.lists(st.floats(1, 9), min_size=1, max_size=9), st.floats(0.01, 5))
def test_groups_hold_exactly_the_pairs_that_may_be_equal(
    ranks: list[float], difference: float
) -> None:
    ranks = sorted(ranks)
    groups = cliques(ranks, difference)
    for i in range(len(ranks)):
        for j in range(i + 1, len(ranks)):
            together = any(first <= i and j <= last for first, last in groups)
            assert together == (ranks[j] - ranks[i] < difference)


def test_one_name_has_nothing_to_differ_from() -> None:
    with pytest.raises(ValueError, match="two names or more, not 1"):
        critical_difference({"alone": 1.0}, 1.0)
