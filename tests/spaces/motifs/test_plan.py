import pytest
import torch
from torch import Tensor, nn

from spaces import operations
from spaces.motifs.build import Body, network
from spaces.motifs.families import basic, inverted_residual
from spaces.motifs.inception import V4_C
from spaces.motifs.layers import Convolution, Custom, Pool, Relu, Truncation
from spaces.motifs.plan import Draft, Plan, layers, sequence
from spaces.space import SpaceError


def modules(body: Body) -> dict[str, nn.Module]:
    """The modules of a network by label, for labels that occur once."""
    return {body.labels[int(name)]: module for name, module in body.layers.items()}


def test_a_residual_block_adds_its_input() -> None:
    body = Body(basic(8, 1, {"width": 8, "kernel": 3, "stride": 1})).eval()
    part = modules(body)
    image = torch.randn(2, 8, 6, 6)
    branch = part["conv3x3 8"](part["conv3x3 8 relu"](image))
    torch.testing.assert_close(body(image), torch.relu(image + branch))


def test_an_inverted_residual_has_no_last_activation() -> None:
    body = Body(inverted_residual(4, 4, 1, 3, 2)).eval()
    part = modules(body)
    image = torch.randn(2, 4, 6, 6)
    hidden = part["conv3x3 8 groups 8 relu6"](part["conv1x1 8 relu6"](image))
    torch.testing.assert_close(body(image), image + part["conv1x1 4"](hidden))
    assert not torch.equal(
        body(image), Body(inverted_residual(4, 4, 1, 3, 2, skip=False)).eval()(image)
    )


def test_sums_and_concatenations() -> None:
    draft = Draft(2)
    one, other = draft.add(Convolution(3), 0), draft.add(Convolution(5), 0)
    joined = draft.concat(one, other)
    kept = draft.add(Truncation(2), joined)
    plan = draft.finish(draft.sum(kept, 0))
    assert (plan.channels_in, plan.channels) == (2, 2)
    body = Body(plan).eval()
    part = modules(body)
    image = torch.randn(1, 2, 4, 4)
    both = torch.cat([part["conv3x3 3 relu"](image), part["conv3x3 5 relu"](image)], 1)
    # Sides of a concatenation have no order of their own in a graph: either may be first.
    swapped = torch.cat([part["conv3x3 5 relu"](image), part["conv3x3 3 relu"](image)], 1)
    result = body(image) - image
    assert any(torch.allclose(result, x[:, :2], atol=1e-6) for x in (both, swapped))


def test_nested_and_flat_are_one_network() -> None:
    inner = layers(4, [Convolution(4), Relu()])
    draft = Draft(4)
    nested = draft.finish(draft.nest(inner, draft.nest(inner, 0)))
    flat = layers(4, [Convolution(4), Relu(), Convolution(4), Relu()])
    assert nested.architecture.key == flat.architecture.key
    outputs: list[Tensor] = []
    for plan in (nested, flat):
        torch.manual_seed(0)
        outputs.append(network(plan, 3)(torch.ones(2, 4, 5, 5)))
    assert torch.equal(outputs[0], outputs[1])


def test_a_sequence_hands_its_channels_on() -> None:
    def widen(channels_in: int) -> Plan:
        return layers(channels_in, [Convolution(2 * channels_in)])

    assert sequence(3, [widen, widen, widen]).channels == 24


def test_an_inception_module_forks_twice() -> None:
    plan = V4_C.make(1536, 1, {"multiplier": 1.0, "reduction": "v4_b"})
    assert plan.channels == 1536
    with torch.device("meta"):
        assert Body(plan)(torch.empty(1, 1536, 8, 8)).shape == (1, 1536, 8, 8)


def test_nothing_is_a_network_too() -> None:
    draft = Draft(3)
    plan = draft.finish(draft.add(Custom("none", operations.zero), 0))
    logits = network(plan, 4)(torch.randn(2, 3, 5, 5))
    assert logits.shape == (2, 4)
    assert not plan.architecture.connected


def test_labels_say_all() -> None:
    assert Convolution(8, (1, 7), 2, padded=False, groups=4, activation="none").label == (
        "conv1x7 8 /2 valid groups 4"
    )
    assert Pool("average", 3, 2).label == "average3x3 /2"
    assert Custom("mine", operations.average_pool(3), 8, 2).label == "mine 8 /2"


def test_summands_of_different_channels_are_refused() -> None:
    draft = Draft(2)
    with pytest.raises(SpaceError, match=r"equal channels, not \[2, 8\]"):
        draft.sum(0, draft.add(Convolution(8), 0))


def named(plan: Plan) -> dict[str, str]:
    """The names of a network's layers, and their labels."""
    return {n.name: str(n.operation) for n in plan.architecture.canonical().nodes if n.name}


class TestNames:
    def test_a_name_is_the_path_through_nested_plans(self) -> None:
        draft = Draft(3)
        node = draft.nest(layers(3, [Convolution(8), Relu(), Convolution(4)]), 0, name="body")
        plan = draft.finish(draft.add(Convolution(2), node, name="last")).within("all")
        assert list(named(plan)) == [
            "all:body:convolution",
            "all:body:relu",
            "all:body:convolution2",
            "all:last",
        ]

    def test_a_layer_that_some_networks_lack_does_not_rename_the_others(self) -> None:
        choices = {"width": 8, "kernel": 3, "stride": 1}
        kept, changed = named(basic(8, 0, choices)), named(basic(4, 0, choices))
        assert changed.keys() - kept.keys() == {"shortcut"}
        assert all(changed[name] == label for name, label in kept.items())
        narrow, wide = (named(inverted_residual(4, 8, 1, 3, size)) for size in (1, 2))
        assert wide.keys() - narrow.keys() == {"expand"}
        plain, reduced = (
            named(V4_C.make(8, 0, {"multiplier": 0.25, "reduction": kind}))
            for kind in ("none", "v4_b")
        )
        assert plain.items() < reduced.items()

    def test_parts_are_numbered_by_themselves(self) -> None:
        draft, node = Draft(3), 0
        for part in ("one", "two"):
            draft.begin(part)
            node = draft.chain([Convolution(3), Convolution(3)], node)
        assert list(named(draft.finish(node))) == [
            "one:convolution",
            "one:convolution2",
            "two:convolution",
            "two:convolution2",
        ]

    def test_they_are_no_part_of_the_graph(self) -> None:
        one, other = layers(3, [Convolution(8)]), layers(3, [Convolution(8)]).within("other")
        assert one.architecture == other.architecture
        assert one.architecture.key == other.architecture.key
