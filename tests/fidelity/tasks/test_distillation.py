from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fidelity import Mixup, Training, datasets
from fidelity.tasks import Classification, Distillation, Segmentation, Task
from fidelity.tasks.classification import COSTS
from spaces import Perceptrons
from tests.fidelity.tasks.contract import TaskContract


def teacher() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10))


class TestDistillation(TaskContract):
    def tasks(self) -> list[Task]:
        return [Distillation(teacher(), Classification(cost)) for cost in COSTS]

    def data(self, size: int = 60, seed: int = 0) -> tuple[Tensor, Tensor, tuple[int, ...]]:
        generator = torch.Generator().manual_seed(seed)
        targets = torch.arange(size) % 4
        return torch.randn(size, 4, generator=generator), targets, (1, 4, 4)

    def test_it_travels_to_another_process(self) -> None:
        for task in self.tasks():
            assert isinstance(task, Distillation)
            copied = pickle.loads(pickle.dumps(task))
            assert (copied.task, copied.temperature, copied.weight) == (task.task, 4.0, 0.5)
            mine, other = task.teacher.state_dict(), copied.teacher.state_dict()
            assert all(torch.equal(mine[name], other[name]) for name in {*mine, *other})

    def test_an_unknown_cost_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"the cost is 'speed': expected"):
            Distillation(teacher(), Classification("speed"))


def test_the_loss_is_that_of_hinton() -> None:
    outputs, logits, targets = torch.randn(6, 4), torch.randn(6, 4), torch.arange(6) % 4
    criterion = Distillation(teacher(), temperature=3.0, weight=0.7).criterion(targets)
    hard = F.cross_entropy(outputs, targets, reduction="none")
    p, q = (logits / 3).softmax(1), (outputs / 3).softmax(1)
    soft = (p * (p / q).log()).sum(1)
    losses = criterion.taught(logits).losses(outputs, targets)
    torch.testing.assert_close(losses, 0.3 * hard + 0.7 * 9 * soft)
    torch.testing.assert_close(criterion.losses(outputs, targets), hard)  # on held-out examples


def test_a_teacher_of_masks_teaches_each_pixel() -> None:
    outputs, targets = torch.randn(2, 3, 4, 5), torch.randint(3, (2, 4, 5))
    criterion = Distillation(teacher(), Segmentation(), weight=1.0).criterion(targets)
    losses = criterion.taught(outputs).losses(outputs, targets)
    torch.testing.assert_close(losses, torch.zeros(2), atol=1e-5, rtol=0)


@pytest.mark.parametrize("mixing", [None, Mixup()])
def test_with_the_whole_weight_on_the_teacher_its_answers_are_learned(mixing: Mixup | None) -> None:
    data = datasets.digits()
    space = Perceptrons(depth=1, widths=(64,), activations=("relu",))
    chosen = space.configuration_space.get_default_configuration()
    settings = {"max_epochs": 10, "batch_size": 50, "augment": (), "mixing": mixing}
    taught = replace(data, task=Distillation(teacher(), weight=1.0))
    report = Training(space, taught, **settings).final(chosen)  # type: ignore[arg-type]
    normal = (data.test.inputs.float() - data.train.inputs.float().mean()) / (
        data.train.inputs.float().std(correction=0)
    )
    with torch.no_grad():
        agreed = report.network(normal).argmax(1) == teacher()(normal).argmax(1)
    assert float(agreed.float().mean()) > 0.8
    assert report.test_cost > 0.5  # the teacher knows nothing


def test_the_teacher_does_not_change() -> None:
    data, given = datasets.digits(), nn.Sequential(nn.BatchNorm2d(1), teacher())
    task = Distillation(given.train())
    before = {name: value.clone() for name, value in task.teacher.state_dict().items()}
    space = Perceptrons(depth=1)
    training = Training(space, replace(data, task=task), max_epochs=1)
    training.final(space.configuration_space.get_default_configuration())
    assert all(torch.equal(value, before[n]) for n, value in task.teacher.state_dict().items())
    assert given.training


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"temperature": 0.0}, "temperature is 0.0: it must be above 0"),
        ({"weight": 1.5}, r"weight is 1.5: it must be in \[0, 1\]"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Distillation(teacher(), **settings)  # type: ignore[arg-type]


def test_a_teacher_that_does_not_fit_is_refused() -> None:
    with pytest.raises(TypeError, match=r"the teacher is 'resnet': expected a trained nn.Module"):
        Distillation("resnet")  # type: ignore[arg-type]
    criterion = Distillation(teacher()).criterion(torch.arange(3))
    with pytest.raises(ValueError, match=r"teacher's outputs have the shape \(3, 5\)"):
        criterion.taught(torch.zeros(3, 5)).losses(torch.zeros(3, 3), torch.arange(3))
