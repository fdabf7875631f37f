"""Small networks of different kinds, such as users have them; each with a sample of its input."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

IMAGES = (2, 3, 8, 8)


class Block(nn.Module):
    def __init__(self, channels_in: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride > 1 or channels != channels_in:
            self.shortcut.append(nn.Conv2d(channels_in, channels, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        y += self.shortcut(x)
        return F.relu(y)


class ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.first = Block(8, 8)
        self.second = Block(8, 16, 2)
        self.third = Block(16, 16)
        self.fc = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.third(self.second(self.first(self.stem(x))))
        x = F.dropout(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1), 0.2, self.training)
        return self.fc(x)


class Dense(nn.Module):
    """Concatenations that grow, flattened before a linear layer by a view with a number in it."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.one = nn.Sequential(nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3, padding=1))
        self.two = nn.Sequential(nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 4, 3, padding=1))
        self.pool = nn.MaxPool2d(4)
        self.head = nn.Linear(16 * 2 * 2, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        x = torch.cat([x, self.one(x)], 1)
        x = torch.cat([x, self.two(x)], dim=1)
        return self.head(self.pool(x).view(-1, 16 * 2 * 2))


class Mobile(nn.Module):
    """Depthwise convolutions and squeeze-and-excitation gates."""

    def __init__(self) -> None:
        super().__init__()
        self.expand = nn.Conv2d(3, 16, 1)
        self.depthwise = nn.Conv2d(16, 32, 3, padding=1, groups=16)
        self.norm = nn.BatchNorm2d(32)
        self.squeeze = nn.Conv2d(32, 8, 1)
        self.excite = nn.Conv2d(8, 32, 1)
        self.project = nn.Conv2d(32, 12, 1)
        self.head = nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.hardswish(self.norm(self.depthwise(self.expand(x))))
        gate = torch.sigmoid(self.excite(F.relu(self.squeeze(x.mean((2, 3), keepdim=True)))))
        x = self.project(x * gate)
        return self.head(x.mean(dim=(2, 3)))


class Grouped(nn.Module):
    """A convolution of four groups, and group normalisation."""

    def __init__(self) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(3, 16, 1)
        self.grouped = nn.Conv2d(16, 32, 3, padding=1, groups=4)
        self.norm = nn.GroupNorm(4, 32)
        self.last = nn.Conv2d(32, 8, 1)
        self.head = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.norm(self.grouped(F.relu(self.reduce(x)))))
        return self.head(self.last(x).mean([2, 3]))


class UNet(nn.Module):
    """Transposed convolutions, and a concatenation across the network."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 3, padding=1)
        self.bottom = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.up = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.merge = nn.Conv2d(16, 8, 3, padding=1)
        self.head = nn.Conv2d(8, 10, 1)

    def forward(self, x: Tensor) -> Tensor:
        down = torch.relu(self.down(x))
        up = torch.relu(self.up(torch.relu(self.bottom(down))))
        return self.head(torch.relu(self.merge(torch.cat((down, up), 1))))


class Halved(nn.Module):
    """Channels in two halves, one of which is computed."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 16, 3, padding=1)
        self.side = nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.stem(x).chunk(2, dim=1)
        x = torch.cat((a, F.relu(self.side(b))), dim=1)
        return self.head(x.flatten(2).mean(2))


class Attention(nn.Module):
    """Attention that is written out, with layers of their own for queries, keys and values."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(6, 16)
        self.norm = nn.LayerNorm(16)
        self.query, self.key, self.value = (nn.Linear(16, 16) for _ in range(3))
        self.out = nn.Linear(16, 16)
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x)
        y, (batch, length) = self.norm(x), (x.size(0), x.size(1))
        q, k, v = (
            layer(y).view(batch, length, 4, 4).transpose(1, 2)
            for layer in (self.query, self.key, self.value)
        )
        weights = (torch.matmul(q, k.transpose(-2, -1)) / 2).softmax(dim=-1)
        mixed = (weights @ v).transpose(1, 2).reshape(batch, length, 16)
        return self.head((x + self.out(mixed)).mean(1))


class Transformer(nn.Module):
    """Torch's own encoder layers over embedded tokens with positions."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(20, 16)
        self.positions = nn.Parameter(torch.randn(1, 6, 16))
        layer = nn.TransformerEncoderLayer(
            16, 4, 32, 0.1, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.head = nn.Linear(16, 10)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        y = self.embed(x) + self.positions
        y = self.encoder(y) if mask is None else self.encoder(y, mask)
        return self.head(y.mean(dim=1))


class Recurrent(nn.Module):
    """An LSTM, for which there is no rule, between convolutions and linear layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 8, 3, padding=1)
        self.mix = nn.Conv1d(8, 6, 1)
        self.lstm = nn.LSTM(6, 8, batch_first=True)
        self.hidden = nn.Linear(8, 12)
        self.head = nn.Linear(12, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.mix(torch.tanh(self.conv(x))).transpose(1, 2)
        states, _ = self.lstm(x)
        return self.head(F.relu(self.hidden(states[:, -1])))


class Reused(nn.Module):
    """A layer that is called twice, and two layers with one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 12)
        self.twice = nn.Linear(12, 12)
        self.a, self.b = nn.Linear(12, 12, bias=False), nn.Linear(12, 12, bias=False)
        self.b.weight = self.a.weight
        self.middle = nn.Linear(12, 8)
        self.head = nn.Linear(8, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.twice(F.relu(self.twice(F.relu(self.first(x))))))
        return self.head(F.relu(self.middle(self.b(F.relu(self.a(x))))))


NETWORKS: Mapping[str, tuple[Callable[[], nn.Module], Callable[[], Tensor]]] = {
    "residual": (ResNet, lambda: torch.randn(IMAGES)),
    "dense": (Dense, lambda: torch.randn(IMAGES)),
    "mobile": (Mobile, lambda: torch.randn(IMAGES)),
    "grouped": (Grouped, lambda: torch.randn(IMAGES)),
    "u-net": (UNet, lambda: torch.randn(IMAGES)),
    "halved": (Halved, lambda: torch.randn(IMAGES)),
    "attention": (Attention, lambda: torch.randn(2, 5, 6)),
    "transformer": (Transformer, lambda: torch.randint(20, (2, 6))),
    "recurrent": (Recurrent, lambda: torch.randn(2, 2, 9)),
    "reused": (Reused, lambda: torch.randn(2, 6)),
}


def made(kind: str) -> tuple[nn.Module, Tensor]:
    """A network in evaluation mode whose normalisation has seen data, and a sample."""
    torch.manual_seed(0)
    make, draw = NETWORKS[kind]
    network, sample = make(), draw()
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 2)
                module.bias.normal_()
        for _ in range(3):
            network(draw())
    return network.eval(), sample
