"""A history with one of everything that can be in one."""

from ConfigSpace import Configuration, ConfigurationSpace, EqualsCondition, Float, Integer
from ConfigSpace.hyperparameters import CategoricalHyperparameter, OrdinalHyperparameter
from torch import nn

from fidelity.history.history import History
from fidelity.history.records import evaluation_record, trial_record
from fidelity.history.trial import Evaluation, Status, Trial
from spaces.architecture.architecture import Architecture, chain
from spaces.keys import trial_key
from spaces.space import InputShape, configuration

CRASH = 'Traceback (most recent call last):\n  File "/home/me/project/train.py", line 3\nit broke'


class Layers:
    """All kinds of hyperparameters, and one that is not always active."""

    def __init__(self) -> None:
        self.configuration_space = ConfigurationSpace()
        kind = CategoricalHyperparameter("kind", ["a", "b"])
        size = Integer("size", (1, 64), log=True)
        self.configuration_space.add(
            kind, size, Float("rate", (0.0, 1.0)), OrdinalHyperparameter("width", [8, 16])
        )
        self.configuration_space.add(EqualsCondition(size, kind, "b"))

    def architecture(self, configuration: Configuration) -> Architecture:
        return chain([str(sorted(dict(configuration).items()))])

    def build(
        self, configuration: Configuration, input_shape: InputShape, outputs: int
    ) -> nn.Module:
        return nn.Sequential(nn.Flatten(), nn.LazyLinear(outputs))


SPACE = Layers()
A = {"kind": "a", "rate": 0.5, "width": 8}
B = {"kind": "b", "rate": 0.25, "width": 16, "size": 4}


def history() -> History:
    """Every status, a promotion, a reused result, another seed, and a pending trial."""
    made = History(SPACE.configuration_space)

    def start(values: dict[str, object], budget: float, seed: int = 0, **more: int) -> Trial:
        chosen = configuration(SPACE.configuration_space, values)
        key = trial_key(SPACE, chosen)
        made.add_trial(Trial(len(made.trials), chosen, key, budget, seed, **more))
        return made.trials[-1]

    first, second = start(A, 1.0), start(B, 1.0, bracket=1)
    made.add_evaluation(
        Evaluation(second, 0.5, {"loss": 1.5}, ((0.5, 0.75), (1.0, 0.5)), 2.0, 0.25)
    )
    made.add_evaluation(Evaluation(first, 0.75, seconds=1.0, started=2.25))
    promoted = start(B, 3.0, parent=second.number, bracket=1)
    made.add_evaluation(Evaluation(promoted, 0.25, seconds=4.0, started=3.25, retrained=True))
    made.add_evaluation(Evaluation(start(A, 1.0), 0.75, reused=first.number))
    for place, status in enumerate(Status):
        if status is not Status.SUCCESS:
            trial = start(A | {"rate": place / 10}, 1.0, seed=place)
            made.add_evaluation(Evaluation(trial, status=status, error=CRASH))
    start(A, 3.0, parent=first.number)
    return made


def written(history: History) -> list[object]:
    """All that a history holds."""
    ended = [evaluation_record(e) for e in history.evaluations]
    return [*map(trial_record, history.trials), *ended, history.resource, len(history.pending)]
