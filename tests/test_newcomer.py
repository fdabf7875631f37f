"""From the README alone: a space of one's own over one's own arrays, to a network in a file."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

CODE = '''
import numpy as np
import torch
from ConfigSpace import ConfigurationSpace
from torch import nn

from bonas import Search, plot
from fidelity import Hyperband, Training, datasets
from spaces.architecture import chain


class Filters:
    """One or two convolutions, narrow or wide."""

    configuration_space = ConfigurationSpace({"first": [4, 8, 16], "second": [0, 8, 16]})

    def architecture(self, configuration):
        return chain([f"convolution {width}" for width in configuration.values() if width])

    def build(self, configuration, input_shape, outputs):
        layers, channels = [], input_shape[0]
        for width in (int(configuration["first"]), int(configuration["second"])):
            if width:
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
                channels = width
        layers += [nn.AdaptiveMaxPool2d(2), nn.Flatten(), nn.Linear(4 * channels, outputs)]
        return nn.Sequential(*layers)


images, labels = np.load("images.npy"), np.load("labels.npy")  # (N, height, width) and (N,)
training = Training(Filters(), datasets.from_arrays(images, labels), max_epochs=9, batch_size=32)
with Search(Filters(), training, schedule=Hyperband(1, 9), directory="runs/mine") as search:
    history = search.run(epochs=60)
    search.report("report.html")
best = search.incumbent.trial.configuration
plot.anytime({"mine": history}).figure.savefig("anytime.png")
final = training.final(best)
print(dict(best), "test error", final.test_error)
torch.save(final.network.state_dict(), "winner.pt")
'''


def test_a_newcomer_finds_and_keeps_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len([line for line in CODE.splitlines() if line.strip()]) < 40
    matplotlib.use("Agg")
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=200)
    images = rng.normal(size=(200, 8, 8)) * 0.3
    images[labels == 1, 2:4, :] += 2.0  # a bar that lies
    images[labels == 0, :, 2:4] += 2.0  # or stands
    np.save("images.npy", images)
    np.save("labels.npy", labels)
    names: dict[str, object] = {"__name__": "__main__"}
    exec(compile(CODE, "the newcomer's code", "exec", dont_inherit=True), names)
    plt.close("all")
    printed = capsys.readouterr().out.splitlines()[-1]
    assert float(printed.rpartition(" ")[2]) < 0.1
    assert plt.imread("anytime.png").size > 0
    assert "<h2>Incumbent</h2>" in Path("report.html").read_text()
    kept = torch.load("winner.pt", weights_only=True)
    network = names["Filters"]().build(names["best"], (1, 8, 8), 2)  # type: ignore[operator]
    assert network.load_state_dict(kept)
