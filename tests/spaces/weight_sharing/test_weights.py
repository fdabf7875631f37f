from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from spaces.sequences.modules import Attend
from spaces.weight_sharing.weights import NamedSequential, Weight, weights


def only(network: nn.Module, ends: str = "weight") -> Weight:
    """The weight whose name ends like this."""
    (found,) = (w for w in weights(network) if w.attribute.endswith(ends))
    return found


def keys(network: nn.Module) -> list[str]:
    return [weight.key for weight in weights(network)]


def numbered(*shape: int) -> Tensor:
    return torch.arange(float(torch.Size(shape).numel())).view(shape)


class TestRead:
    def test_channels_are_the_first_and_a_kernel_is_the_centre(self) -> None:
        shared = numbered(6, 4, 5, 5)
        weight = only(nn.Conv2d(2, 3, 3, bias=False))
        assert torch.equal(weight.read(shared), shared[:3, :2, 1:4, 1:4])

    def test_a_kernel_of_a_signal_is_the_centre_too(self) -> None:
        shared = numbered(6, 4, 7)
        weight = only(nn.Conv1d(4, 6, 3, bias=False))
        assert torch.equal(weight.read(shared), shared[:, :, 2:5])

    def test_of_other_tensors_the_first_entries_of_each_dimension(self) -> None:
        class Positions(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.table = nn.Parameter(torch.zeros(1, 3, 2))

        shared = numbered(1, 5, 4)
        assert torch.equal(only(Positions(), "table").read(shared), shared[:, :3, :2])

    def test_a_depthwise_convolution_keeps_its_channels_together(self) -> None:
        shared = numbered(8, 1, 5, 5)
        weight = only(nn.Conv2d(4, 4, 3, groups=4, bias=False))
        assert torch.equal(weight.read(shared), shared[:4, :, 1:4, 1:4])

    @pytest.mark.parametrize(
        ("narrow", "wide", "parts"),
        [
            (nn.GRU(2, 3), nn.GRU(4, 5), 3),
            (nn.LSTM(2, 3), nn.LSTM(4, 5), 4),
            (nn.GRUCell(2, 3), nn.GRUCell(4, 5), 3),
        ],
        ids=["gru", "lstm", "cell"],
    )
    def test_a_recurrent_layer_has_the_first_units_of_each_gate(
        self, narrow: nn.Module, wide: nn.Module, parts: int
    ) -> None:
        whole = {weight.key: weight.tensor for weight in weights(wide)}
        for weight in weights(narrow):
            shared = whole[weight.key]
            gates = shared.view(parts, 5, *shared.shape[1:])[:, :3]
            expected = gates[:, :, : weight.tensor.shape[1]] if shared.ndim == 2 else gates
            assert torch.equal(weight.read(shared), expected.reshape(weight.tensor.shape))

    def test_attention_has_the_first_channels_of_query_key_and_value(self) -> None:
        for narrow, wide in (
            (Attend(4, 2, causal=False), Attend(6, 2, causal=False)),
            (nn.MultiheadAttention(4, 2), nn.MultiheadAttention(6, 2)),
        ):
            whole = {weight.key: weight.tensor for weight in weights(wide)}
            (weight,) = (w for w in weights(narrow) if w.tensor.shape == (12, 4))
            expected = whole[weight.key].view(3, 6, 6)[:, :4, :4].reshape(12, 4)
            assert torch.equal(weight.read(whole[weight.key]), expected)

    def test_what_a_smaller_tensor_lacks_is_the_networks_own(self) -> None:
        layer = nn.Linear(3, 4, bias=False)
        shared = torch.zeros(2, 5, requires_grad=True)
        value = only(layer).read(shared)
        assert torch.equal(value[:2], torch.zeros(2, 3))
        assert torch.equal(value[2:], layer.weight[2:])
        value.sum().backward()
        assert shared.grad is not None
        assert shared.grad.sum() == 6
        assert layer.weight.grad is None

    def test_gradients_reach_the_used_part_alone(self) -> None:
        shared = torch.ones(4, 4, 5, 5, requires_grad=True)
        only(nn.Conv2d(2, 2, 3, bias=False)).read(shared).sum().backward()
        assert shared.grad is not None
        assert shared.grad[:2, :2, 1:4, 1:4].eq(1).all()
        assert shared.grad.sum() == 2 * 2 * 9

    def test_writing_is_the_opposite_of_reading(self) -> None:
        for layer, shape in (
            (nn.Conv2d(2, 3, 3, bias=False), (6, 4, 5, 5)),
            (Attend(4, 2, causal=False).read, (18, 6)),
        ):
            weight, shared = only(layer), torch.zeros(shape)
            weight.write(shared)
            assert torch.equal(weight.read(shared), weight.tensor)


class TestKeys:
    def test_layers_of_different_kinds_share_nothing(self) -> None:
        layers = [
            nn.Conv2d(2, 2, 1, bias=False),
            nn.Conv1d(2, 2, 1, bias=False),
            nn.Linear(2, 2, bias=False),
            nn.ConvTranspose2d(2, 2, 1, bias=False),
            nn.Embedding(2, 2),
            nn.BatchNorm2d(2, affine=True),
            nn.LayerNorm(2),
            nn.Conv2d(2, 2, 1, bias=False, groups=2),
        ]
        found = [only(nn.Sequential(layer)).key for layer in layers]
        assert len({*found}) == len(layers)
        assert all(key.startswith("0/weight") for key in found)

    def test_groups_of_the_same_width_are_shared(self) -> None:
        four, two = nn.Conv2d(16, 8, 3, groups=4), nn.Conv2d(8, 4, 3, groups=2)
        assert keys(four) == keys(two)
        assert keys(four) != keys(nn.Conv2d(16, 8, 3, groups=2))
        # The first groups read the same channels, and give the same ones.
        images = torch.randn(1, 16, 5, 5)
        for weight in list(weights(two)):
            weight.replace(weight.read(getattr(four, weight.attribute)))
        torch.testing.assert_close(two(images[:, :8]), four(images)[:, :4])

    def test_a_numbered_module_can_keep_its_name(self) -> None:
        one = NamedSequential({1: "last"}, nn.Linear(2, 2), nn.Linear(2, 2))
        two = NamedSequential({2: "last"}, nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 2))
        assert list(one.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
        assert {*keys(one)} < {*keys(two)}
        assert keys(one)[-2:] == keys(two)[-2:]

    def test_names_are_given_at_any_depth(self) -> None:
        inner = NamedSequential({0: "first"}, nn.Linear(2, 2, bias=False))

        class Outer(nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.layers = nn.ModuleDict({"7": inner})
                self.weight_names = {"layers.7": "blocks.a"}

        assert keys(nn.Sequential(Outer())) == ["0/blocks/a/first/weight (Linear 2d)"]

    def test_a_tied_weight_is_one(self) -> None:
        tied = nn.Sequential(nn.Embedding(3, 2), nn.Linear(2, 3, bias=False))
        tied[1].weight = tied[0].weight
        assert keys(tied) == ["0/weight (Embedding 2d)"] * 2


class TestReplace:
    @pytest.mark.parametrize("kind", [nn.GRU, nn.LSTM, nn.RNN])
    def test_a_recurrent_layer_computes_with_the_new_tensor(self, kind: type[nn.RNNBase]) -> None:
        one, other = kind(2, 3), kind(2, 3)
        values = {weight.key: weight.tensor for weight in weights(one)}
        for weight in list(weights(other)):
            weight.replace(values[weight.key])
        x = torch.randn(4, 1, 2)
        assert torch.equal(one(x)[0], other(x)[0])
