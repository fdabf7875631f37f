from __future__ import annotations

from pathlib import Path

import pytest
from ConfigSpace import ConfigurationSpace, Constant
from ConfigSpace.hyperparameters import NormalFloatHyperparameter

from bonas.interop.optuna import from_study, to_study
from fidelity.history.history import History
from fidelity.history.trial import Status
from spaces.space import SpaceError
from tests.bonas.interop.example import SPACE, A, B, history, written

optuna = pytest.importorskip("optuna")


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def test_there_and_back_is_the_same_history() -> None:
    assert written(from_study(to_study(history()), SPACE)) == written(history())


def test_there_and_back_through_a_file(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    to_study(history(), storage=storage, name="mine")
    read = optuna.load_study(study_name="mine", storage=storage)
    assert written(from_study(read, SPACE)) == written(history())
    with pytest.raises(optuna.exceptions.DuplicatedStudyError):
        to_study(history(), storage=storage, name="mine")


def test_optuna_reads_what_it_has_a_place_for() -> None:
    study = to_study(history())
    trials = study.trials
    assert [trial.params for trial in trials[:4]] == [A, B, B, A]
    assert [trial.value for trial in trials[:4]] == [0.75, 0.5, 0.25, 0.75]
    assert [trial.user_attrs["budget"] for trial in trials[:4]] == [1.0, 1.0, 3.0, 1.0]
    assert [trial.user_attrs["seed"] for trial in trials[4:6]] == [1, 2]
    assert trials[1].intermediate_values == {1: 0.5}
    assert {trial.state.name for trial in trials[4:-1]} == {"FAIL"}
    assert trials[-1].state.name == "RUNNING"
    assert (study.best_value, study.best_params) == (0.25, B)
    assert trials[1].distributions["size"] == optuna.distributions.IntDistribution(1, 64, log=True)


def test_what_optuna_wrote_itself() -> None:
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))

    def accuracy(trial: optuna.Trial) -> float:
        kind = trial.suggest_categorical("kind", ["a", "b"])
        if kind == "b":
            trial.suggest_int("size", 1, 64, log=True)
        trial.suggest_float("rate", 0, 1)
        trial.suggest_categorical("width", [8, 16])
        for step in (1, 3):
            trial.report(0.25 * step, step)
            if trial.number == 1:
                raise optuna.TrialPruned
        if trial.number == 2:
            raise ZeroDivisionError
        return 0.875

    study.optimize(accuracy, n_trials=3, catch=ZeroDivisionError)
    mine = from_study(study, SPACE)
    for one, other in zip(mine.trials, study.trials, strict=True):
        assert dict(one.configuration) == pytest.approx(other.params)
    assert [(e.trial.budget, e.cost, e.status) for e in mine.evaluations] == [
        (3.0, -0.875, Status.SUCCESS),
        (1.0, -0.25, Status.SUCCESS),  # what it had when it was pruned
        (3.0, float("inf"), Status.CRASHED),
    ]
    assert mine.evaluations[0].curve == ((1.0, -0.25), (3.0, -0.75))


def test_constants_and_an_empty_history() -> None:
    space = ConfigurationSpace()
    space.add(Constant("always", 3))
    assert to_study(History(space)).trials == []


def test_what_is_no_history_is_refused() -> None:
    with pytest.raises(ValueError, match="has 2 objectives"):
        from_study(optuna.create_study(directions=["minimize", "minimize"]), SPACE)
    space = ConfigurationSpace()
    space.add(NormalFloatHyperparameter("bell", 0, 1, lower=-1, upper=1))
    with pytest.raises(SpaceError, match="no distribution for bell"):
        to_study(History(space))
