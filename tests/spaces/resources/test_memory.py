import torch
from torch import nn

from spaces import zoo
from spaces.resources.resources import count_resources

FLOAT = 4  # bytes


def test_activations_and_peak_memory_by_hand() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 2, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(2, 5),
    )
    counted = count_resources(network, (3, 10, 10))
    assert counted.activations == 800 + 200 + 5
    # The image stays, and the first convolution and what ReLU makes of it are alive together.
    assert counted.peak_activation_bytes == FLOAT * (300 + 800 + 800)


def test_a_shortcut_is_kept_alive() -> None:
    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one = nn.Conv2d(4, 4, 1)
            self.other = nn.Conv2d(4, 4, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.one(x)
            return x + self.other(x)

    counted = count_resources(Residual(), (4, 5, 5))
    assert counted.peak_activation_bytes == FLOAT * 100 * 4


def test_precision_counts() -> None:
    network = nn.Conv2d(2, 2, 1)
    single = count_resources(network, (2, 4, 4)).peak_activation_bytes
    assert count_resources(network.half(), (2, 4, 4)).peak_activation_bytes * 2 == single


def test_results_of_a_plan_are_released() -> None:
    with torch.device("meta"):
        network = zoo.space().build(zoo.resnet50(), (3, 224, 224), 1000)
    counted = count_resources(network, (3, 224, 224))
    assert counted.peak_activation_bytes < FLOAT * counted.activations / 2
