"""Ten constructors of quite different kinds, as users would write them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from spaces.define_by_run.pick import Pick
from spaces.space import InputShape


class Residual(nn.Module):
    def __init__(self, width: int, kernel: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(width, width, kernel, padding=kernel // 2)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        return x + torch.relu(self.norm(self.convolution(x)))


def classifier(width: int, outputs: int) -> list[nn.Module]:
    return [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, outputs)]


def residual(pick: Pick, input_shape: InputShape, outputs: int) -> nn.Module:
    width = pick("width", [4, 8])
    layers: list[nn.Module] = [nn.Conv2d(input_shape[0], width, 3, padding=1)]
    for i in range(2):
        layers.append(Residual(width, pick(f"kernel {i}", [1, 3, 5])))
    return nn.Sequential(*layers, *classifier(width, outputs))


def loop(pick: Pick, input_shape: InputShape, outputs: int) -> nn.Module:
    """A loop over depth, with alternatives that are modules."""
    width = pick("width", [4, 8])
    layers: list[nn.Module] = [nn.Conv2d(input_shape[0], width, 3, padding=1)]
    for i in range(pick("depth", range(1, 5))):
        layers.append(pick(f"block {i}", {"conv": lambda: Residual(width, 3), "skip": nn.Identity}))
    return nn.Sequential(*layers, *classifier(width, outputs))


class Dense(nn.Module):
    """Each layer reads all earlier ones, so that later layers follow the growth."""

    def __init__(self, pick: Pick, input_shape: InputShape, outputs: int) -> None:
        super().__init__()
        channels, self.layers = input_shape[0], nn.ModuleList()
        growth = pick.integer("growth", 2, 6)
        for _ in range(pick("layers", range(1, 4))):
            self.layers.append(nn.Conv2d(channels, growth, 3, padding=1))
            channels += growth
        self.head = nn.Sequential(*classifier(channels, outputs))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.cat([x, torch.relu(layer(x))], 1)
        logits: Tensor = self.head(x)
        return logits


class UNet(nn.Module):
    """Logits for each pixel."""

    def __init__(self, pick: Pick, input_shape: InputShape, outputs: int) -> None:
        super().__init__()
        width = pick("width", [4, 8])
        self.first = nn.Conv2d(input_shape[0], width, 3, padding=1)
        self.down, self.up = nn.ModuleList(), nn.ModuleList()
        for level in range(pick("levels", [1, 2])):
            self.down.append(nn.Conv2d(width << level, width << level + 1, 3, 2, 1))
        for level in reversed(range(len(self.down))):
            self.up.append(nn.ConvTranspose2d(width << level + 1, width << level, 2, 2))
        joins = {"sum": lambda: "sum", "cat": lambda: "cat"}
        self.join = pick("join", joins)
        merged = width if self.join == "sum" else 2 * width
        self.last = nn.Conv2d(merged, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.first(x))
        skipped = [x]
        for down in self.down:
            skipped.append(torch.relu(down(skipped[-1])))
        x = skipped.pop()
        for i, up in enumerate(self.up):
            x, skip = torch.relu(up(x)), skipped.pop()
            last = i == len(self.up) - 1
            x = torch.cat([x, skip], 1) if last and self.join == "cat" else x + skip
        logits: Tensor = self.last(x)
        return logits


class Recurrent(nn.Module):
    """An LSTM of signals."""

    def __init__(self, pick: Pick, input_shape: InputShape, outputs: int) -> None:
        super().__init__()
        size = pick("hidden", [4, 8, 16])
        both = pick("bidirectional", [False, True])
        layers = pick("layers", range(1, 3))
        self.lstm = nn.LSTM(input_shape[0], size, layers, batch_first=True, bidirectional=both)
        self.head = nn.Linear(2 * size if both else size, outputs)

    def forward(self, x: Tensor) -> Tensor:
        values, _ = self.lstm(x.transpose(1, 2))
        logits: Tensor = self.head(values[:, -1])
        return logits


class TransformerBlock(nn.Module):
    def __init__(self, pick: Pick, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, pick("heads", [1, 2, 4]), batch_first=True)
        ratio = pick.real("ratio", 0.5, 4.0, log=True)
        hidden = max(1, round(ratio * width))
        activation = pick("activation", {"relu": nn.ReLU, "gelu": nn.GELU})
        self.mlp = nn.Sequential(nn.Linear(width, hidden), activation, nn.Linear(hidden, width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        total: Tensor = x + self.mlp(self.norm2(x))
        return total


class Transformer(nn.Module):
    """Blocks of signals; each picks within its own prefix."""

    def __init__(self, pick: Pick, input_shape: InputShape, outputs: int) -> None:
        super().__init__()
        width = pick("width", [8, 16])
        self.embed = nn.Linear(input_shape[0], width)
        blocks = (
            TransformerBlock(pick.within(f"block {i}"), width)
            for i in range(pick("depth", range(1, 4)))
        )
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.embed(x.transpose(1, 2)))
        logits: Tensor = self.head(x.mean(1))
        return logits


def nested(pick: Pick, input_shape: InputShape, outputs: int) -> nn.Module:
    """Choices within choices within choices."""
    width = 8

    def separable() -> nn.Module:
        kernel = pick("separable kernel", [3, 5])
        depthwise = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)
        return nn.Sequential(depthwise, pick("pointwise", {"full": full, "grouped": grouped}))

    def full() -> nn.Module:
        return nn.Conv2d(width, width, 1)

    def grouped() -> nn.Module:
        return nn.Conv2d(width, width, 1, groups=pick("groups", [2, 4]))

    def plain() -> nn.Module:
        return Residual(width, pick("kernel", [1, 3]))

    body = pick("body", {"plain": plain, "separable": separable, "none": nn.Identity})
    stem = nn.Conv2d(input_shape[0], width, 3, padding=1)
    return nn.Sequential(stem, body, nn.ReLU(), *classifier(width, outputs))


def shared(pick: Pick, input_shape: InputShape, outputs: int) -> nn.Module:
    """Two branches that pick a width of the same name, one of them only sometimes."""
    stem = pick("stem", {"wide": lambda: pick("width", [4, 8]), "narrow": lambda: 2})
    layers: list[nn.Module] = [nn.Conv2d(input_shape[0], stem, 3, padding=1), nn.ReLU()]
    last = stem
    if pick("second", [True, False]):
        last = pick("width", [4, 8])
        layers += [nn.Conv2d(stem, last, 3, padding=1), nn.ReLU()]
    return nn.Sequential(*layers, *classifier(last, outputs))


class TwoOfFour(nn.Module):
    """A node that reads two of four earlier ones, and an output that reads any number of them."""

    def __init__(self, pick: Pick, input_shape: InputShape, outputs: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(input_shape[0], 4, 3, padding=1)
        self.layers = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=1) for _ in range(3))
        self.node = nn.Conv2d(4, 4, 1)
        self.pair = pick.inputs("node reads", range(4), 2)
        self.read = pick.inputs("output reads", range(3))
        self.head = nn.Sequential(*classifier(4, outputs))

    def forward(self, x: Tensor) -> Tensor:
        values = [self.stem(x)]
        for layer in self.layers:
            values.append(torch.relu(layer(values[-1])))
        node = self.node(sum(values[i] for i in self.pair))
        logits: Tensor = self.head(torch.relu(node) + sum(values[i] for i in self.read))
        return logits


def followed(pick: Pick, input_shape: InputShape, outputs: int) -> nn.Module:
    """A width that a later layer has to follow, from the number of groups."""
    groups = pick("groups", [1, 2, 4])
    width = groups * pick("per group", range(1, 4))
    return nn.Sequential(
        nn.Conv2d(input_shape[0], width, 3, padding=1),
        nn.BatchNorm2d(width),
        nn.Dropout(pick.real("dropout", 0.0, 0.5)),
        nn.Conv2d(width, width, 3, padding=1, groups=groups),
        nn.ReLU(),
        *classifier(width, outputs),
    )
