from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.architecture.architecture import (
    LARGEST_SUM,
    Architecture,
    ArchitectureError,
    Node,
    chain,
)
from spaces.architecture.labels import CONCAT, IDENTITY, INPUT, OUTPUT, ZERO

LABELS = ("conv1x1", "conv3x3", "maxpool3x3")


def nasbench101_keys(vertices: int) -> set[str]:
    """The keys of all graphs of NAS-Bench-101 in which every vertex lies on a path."""
    pairs = [(i, j) for j in range(vertices) for i in range(j)]
    keys = set()
    for chosen in product((False, True), repeat=len(pairs)):
        edges = [pair for pair, taken in zip(pairs, chosen, strict=True) if taken]
        if len(edges) > 9:
            continue
        reads = {target for _, target in edges}
        feeds = {source for source, _ in edges}
        if not (set(range(1, vertices)) <= reads and set(range(vertices - 1)) <= feeds):
            continue
        for labels in product(LABELS, repeat=vertices - 2):
            keys.add(Architecture.from_edges((INPUT, *labels, OUTPUT), edges).key)
    return keys


@pytest.mark.parametrize(("vertices", "graphs"), [(2, 1), (3, 6), (4, 84), (5, 2441)])
def test_counts_nasbench101(vertices: int, graphs: int) -> None:
    # Ying et al. (2019): 1, 6, 84, 2441 different graphs with 2 to 5 vertices.
    assert len(nasbench101_keys(vertices)) == graphs


@pytest.mark.slow
def test_counts_nasbench101_of_six_vertices() -> None:
    assert len(nasbench101_keys(6)) == 62010


@st.composite
def relabelled(draw: st.DrawFn) -> tuple[Architecture, Architecture]:
    """A random graph, and the same with its inner nodes in another order."""
    inner = draw(st.integers(0, 6))
    labels = draw(
        st.lists(st.sampled_from([*LABELS, IDENTITY, ZERO, CONCAT]), min_size=inner, max_size=inner)
    )
    pairs = [(i, j) for j in range(inner + 2) for i in range(j)]
    edges = [pair for pair in pairs if draw(st.booleans())]
    order = [0, *(1 + i for i in draw(st.permutations(range(inner)))), inner + 1]
    place = {old: new for new, old in enumerate(order)}
    all_labels = [INPUT, *labels, OUTPUT]
    return (
        Architecture.from_edges(all_labels, edges),
        Architecture.from_edges(
            [all_labels[old] for old in order], [(place[i], place[j]) for i, j in edges]
        ),
    )


@given(relabelled())
def test_key_does_not_depend_on_the_order_of_nodes(
    graphs: tuple[Architecture, Architecture],
) -> None:
    one, other = graphs
    assert one.key == other.key
    assert one.canonical() == other.canonical()


@given(relabelled())
def test_canonical_is_a_fixed_point(graphs: tuple[Architecture, Architecture]) -> None:
    canonical = graphs[0].canonical()
    assert canonical.canonical() == canonical
    assert canonical.key == graphs[0].key


def test_removes_what_does_not_change_the_function() -> None:
    plain = chain(["conv3x3"])
    detour = Architecture(
        (
            Node(INPUT),
            Node(IDENTITY, (0,)),
            Node("conv3x3", (1,)),
            Node(ZERO, (0,)),
            Node("conv1x1", (3,)),  # hears nothing of the input
            Node("conv1x1", (2,)),  # never reaches the output
            Node(OUTPUT, (2, 4)),
        )
    )
    assert detour.key == plain.key


def test_a_concatenation_of_one_sum_is_the_sum() -> None:
    concatenated = Architecture(
        (
            Node(INPUT),
            Node("conv", (0,)),
            Node(IDENTITY, (0, 1)),
            Node(CONCAT, (2,)),
            Node(OUTPUT, (3,)),
        )
    )
    summed = Architecture((Node(INPUT), Node("conv", (0,)), Node(OUTPUT, (0, 1))))
    assert concatenated.key == summed.key


def test_sharing_is_kept() -> None:
    once_used_twice = Architecture((Node(INPUT), Node("conv", (0,)), Node(OUTPUT, (1, 1))))
    two_parallel = Architecture(
        (Node(INPUT), Node("conv", (0,)), Node("conv", (0,)), Node(OUTPUT, (1, 2)))
    )
    once = chain(["conv"])
    assert len({once_used_twice.key, two_parallel.key, once.key}) == 3


def test_sums_are_equal_wherever_they_are_made() -> None:
    shared = Architecture(
        (
            Node(INPUT),
            Node("a", (0,)),
            Node("b", (0,)),
            Node(IDENTITY, (1, 2)),
            Node("c", (3,)),
            Node(OUTPUT, (3, 4)),
        )
    )
    written_out = Architecture(
        (Node(INPUT), Node("a", (0,)), Node("b", (0,)), Node("c", (1, 2)), Node(OUTPUT, (1, 2, 3)))
    )
    assert shared.key == written_out.key


def test_nested_architectures_are_laid_flat() -> None:
    motif = Architecture((Node(INPUT), Node("a", (0,)), Node("b", (0,)), Node(OUTPUT, (1, 2))))
    nested = chain([motif, "c"])
    flat = Architecture(
        (Node(INPUT), Node("a", (0,)), Node("b", (0,)), Node("c", (1, 2)), Node(OUTPUT, (3,)))
    )
    assert nested.key == flat.key
    two_inputs = Architecture((Node(INPUT), Node(INPUT), Node("a", (0,)), Node(OUTPUT, (1, 2))))
    crossed = Architecture(
        (Node(INPUT), Node("b", (0,)), Node(two_inputs, (1, 0)), Node(OUTPUT, (2,)))
    )
    straight = Architecture(
        (Node(INPUT), Node("b", (0,)), Node(two_inputs, (0, 1)), Node(OUTPUT, (2,)))
    )
    assert crossed.key != straight.key


def test_doubled_sums_stay_small() -> None:
    nodes = [Node(INPUT)]
    for position in range(200):
        nodes.append(Node(IDENTITY, (position, position)))
    doubled = Architecture((*nodes, Node(OUTPUT, (200,))))
    assert max(len(node.inputs) for node in doubled.canonical().nodes) <= 2 * LARGEST_SUM


def test_many_symmetric_branches_are_quick_to_order() -> None:
    branches = Architecture(
        (Node(INPUT), Node("a", (0,)), Node("a", (0,)), Node(CONCAT, (1, 2)), Node(OUTPUT, (3,)))
    )
    deep = chain([branches] * 30)  # 2^30 orders if interchangeable branches were not recognised
    assert len(deep.canonical().nodes) == 3 * 30 + 2


def test_disconnected() -> None:
    assert not chain([ZERO]).connected
    assert not chain(["conv", ZERO]).connected
    assert chain([IDENTITY]).connected


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Architecture((Node(INPUT),)), "starts with a node 'input' and ends"),
        (lambda: Architecture((Node(INPUT), Node("a", (1,)), Node(OUTPUT, (1,)))), "earlier"),
        (lambda: Architecture((Node(INPUT), Node(OUTPUT), Node(OUTPUT))), "come first"),
        (
            lambda: Architecture.from_edges(
                [INPUT, "a", "b", OUTPUT], [(0, 1), (1, 2), (2, 1), (2, 3)]
            ),
            "cycle among the nodes",
        ),
        (lambda: Architecture.from_edges([INPUT, OUTPUT], [(0, 7)]), "outside 0..1"),
    ],
)
def test_what_is_no_architecture_is_refused(make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(ArchitectureError, match=message):
        make()


def test_a_nested_architecture_reads_as_many_nodes_as_it_has_inputs() -> None:
    two = Architecture((Node(INPUT), Node(INPUT), Node(OUTPUT, (0, 1))))
    with pytest.raises(ArchitectureError, match="of 2 inputs but reads 1"):
        chain([two])
