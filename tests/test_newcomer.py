"""From the README alone: a space of one's own over one's own arrays, to a network in a file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

CODE = '''
import numpy as np
from ConfigSpace import ConfigurationSpace
from torch import nn

from bonas import Search, plot, report
from fidelity import Hyperband, Training, datasets, retrain
from spaces.architecture.architecture import chain


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
        head = [nn.AdaptiveMaxPool2d(2), nn.Flatten(), nn.Linear(4 * channels, outputs)]
        return nn.Sequential(*layers, *head)


images, labels = np.load("images.npy"), np.load("labels.npy")  # (N, height, width) and (N,)
training = Training(Filters(), datasets.from_arrays(images, labels), max_epochs=9, batch_size=32)
with Search(Filters(), training, schedule=Hyperband(1, 9), directory="runs/mine") as search:
    history = search.run(epochs=60)
    report(search, "report.html")
best = search.incumbent.trial.configuration
plot.anytime({"mine": history}).figure.savefig("anytime.png")
final = retrain(training, best)
print(dict(best), final, "test error", final.mean)
final.save("winner")
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
    assert "<h2>Best network</h2>" in Path("report.html").read_text(encoding="utf-8")
    alone = "import network, torch; print(network.load()(torch.zeros(3, 1, 8, 8)).shape)"
    ran = subprocess.run(
        [sys.executable, "-c", alone],
        cwd="winner",
        capture_output=True,
        text=True,
        check=True,
        encoding="utf-8",
    )
    assert "[3, 2]" in ran.stdout
