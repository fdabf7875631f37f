from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.display.layout import place


@st.composite
def graphs(draw: st.DrawFn) -> list[list[int]]:
    """For each node the different earlier nodes that it reads."""
    reads: list[list[int]] = [[]]
    for node in range(1, draw(st.integers(2, 9))):
        reads.append(sorted(draw(st.sets(st.integers(0, node - 1), min_size=1, max_size=3))))
    return reads


@settings(deadline=None)
@given(graphs())
def test_a_node_is_right_of_all_that_it_reads_and_spots_never_collide(
    reads: list[list[int]],
) -> None:
    at, routes = place(reads)
    spots = [*at, *(point for route in routes.values() for point in route)]
    assert len(set(spots)) == len(spots)
    assert at[-1][0] == max(layer for layer, _ in at)
    for target, sources in enumerate(reads):
        for source in sources:
            passed = [layer for layer, _ in routes.get((source, target), [])]
            assert passed == list(range(int(at[source][0]) + 1, int(at[target][0])))


def test_a_crossing_that_can_be_avoided_is_avoided() -> None:
    at, _ = place([[], [0], [0], [2], [1], [3, 4]])
    assert (at[1][1] - at[2][1]) * (at[4][1] - at[3][1]) > 0
