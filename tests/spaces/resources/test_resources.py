import torch
from torch import nn

from spaces.cells.cell import CellSpace
from spaces.resources.resources import count_resources

SHORT = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|none~0|none~1|skip_connect~2|"


def test_counts_by_hand() -> None:
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(8, 10),
    )
    counted = count_resources(network, (3, 32, 32))
    assert counted.parameters == 3 * 8 * 9 + 2 * 8 + 8 * 10 + 10
    assert counted.multiply_adds == 3 * 8 * 9 * 16 * 16 + 8 * 10


def test_a_cell_space_by_hand() -> None:
    space = CellSpace.nasbench201(channels=4, cells=1, stages=1)
    with torch.device("meta"):
        network = space.build(
            space.from_string(SHORT),
            (3, 32, 32),
            10,
        )
    stem, cell, head = 3 * 4 * 9, 4 * 4 * 9 + 4 * 4, 4 * 10
    counted = count_resources(network, (3, 32, 32))
    assert counted.multiply_adds == (stem + cell) * 32 * 32 + head
    assert counted.parameters == stem + cell + head + 10 + 4 * 2 * 4  # bias, four batch norms


def test_the_network_is_left_as_it_was() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    count_resources(network, (1, 8, 8))
    assert network.training
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())


def test_frozen_modules_stay_frozen() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout())
    network[1].eval()
    count_resources(network, (1, 8, 8))
    assert [module.training for module in network.modules()] == [True, True, False, True]
