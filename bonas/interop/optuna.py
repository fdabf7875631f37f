"""Conversion between histories and studies of Optuna (Akiba et al. 2019)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ConfigSpace.hyperparameters import (
    CategoricalHyperparameter,
    Constant,
    Hyperparameter,
    OrdinalHyperparameter,
    UniformFloatHyperparameter,
    UniformIntegerHyperparameter,
)

from bonas.interop.records import NAME, append, rebuilt, records
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status
from spaces.space import Space, SpaceError, values

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution
    from optuna.storages import BaseStorage
    from optuna.trial import FrozenTrial

BUDGET, SEED = "budget", "seed"
"""User attributes of an Optuna trial."""


def to_study(
    history: History, *, storage: str | BaseStorage | None = None, name: str | None = None
) -> Study:
    """Return a new Optuna study with one trial per trial.

    Optuna stores parameters, values, learning curves (at whole steps) and whether a trial failed
    or still runs. Budget, seed and everything else are user attributes, from which `from_study`
    rebuilds the same history.

    Args:
        history: to convert.
        storage: of Optuna, for instance 'sqlite:///study.db'; in memory by default.
        name: of the study.

    Raises:
        SpaceError: Optuna has no distribution for a hyperparameter.
        DuplicatedStudyError: the storage has a study of this name.
    """
    import optuna

    distributions = {name: _distribution(history.space[name]) for name in history.space}
    study = optuna.create_study(storage=storage, study_name=name, direction="minimize")
    for trial, record in zip(history.trials, records(history), strict=True):
        ended = history.evaluation(trial.number)
        params = values(trial.configuration)
        study.add_trial(
            optuna.create_trial(
                state=_state(ended),
                value=ended.cost if ended is not None and ended.succeeded else None,
                params=params,
                distributions={name: distributions[name] for name in params},
                intermediate_values=_steps(ended),
                user_attrs={BUDGET: trial.budget, SEED: trial.seed, NAME: record},
            )
        )
    return study


def _state(ended: Evaluation | None) -> Any:
    from optuna.trial import TrialState

    if ended is None:
        return TrialState.RUNNING
    return TrialState.COMPLETE if ended.succeeded else TrialState.FAIL


def _steps(ended: Evaluation | None) -> dict[int, float]:
    curve = () if ended is None else ended.curve
    return {int(step): cost for step, cost in curve if step == int(step)}


def _distribution(hyperparameter: Hyperparameter[Any, Any]) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    match hyperparameter:
        case CategoricalHyperparameter():
            return CategoricalDistribution([_plain(c) for c in hyperparameter.choices])
        case OrdinalHyperparameter():
            return CategoricalDistribution([_plain(c) for c in hyperparameter.sequence])
        case Constant():
            return CategoricalDistribution([_plain(hyperparameter.value)])
        case UniformIntegerHyperparameter():
            low, high = int(hyperparameter.lower), int(hyperparameter.upper)
            return IntDistribution(low, high, log=hyperparameter.log)
        case UniformFloatHyperparameter():
            bounds = float(hyperparameter.lower), float(hyperparameter.upper)
            return FloatDistribution(*bounds, log=hyperparameter.log)
    raise SpaceError(
        f"Optuna has no distribution for {hyperparameter.name}, a "
        f"{type(hyperparameter).__name__}: use a uniform one to exchange histories"
    )


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def from_study(study: Study, space: Space) -> History:
    """Return the history of a study that Optuna or `to_study` wrote.

    Optuna's trials keep their order; each counts as trained from scratch. The budget is the user
    attribute of that name, else the last step with an intermediate value, else 1; the seed is the
    user attribute, else 0. The cost of a pruned trial is its last intermediate value. A maximised
    value becomes its negative.

    Args:
        study: of Optuna.
        space: of the configurations.

    Raises:
        SpaceError: the parameters of a trial are no configuration of this space.
        ValueError: it has several objectives.
    """
    from optuna.study import StudyDirection

    if len(study.directions) > 1:
        raise ValueError(
            f"the study '{study.study_name}' has {len(study.directions)} objectives: a history "
            "has one cost per trial"
        )
    trials = study.get_trials(deepcopy=False)
    stored = [trial.user_attrs[NAME] for trial in trials if NAME in trial.user_attrs]
    if stored:
        return rebuilt(space, stored)
    sign = -1.0 if study.direction is StudyDirection.MAXIMIZE else 1.0
    history = History(space.configuration_space)
    for trial in trials:
        append(
            history,
            space,
            trial.params,
            budget=_budget(trial),
            seed=int(trial.user_attrs.get(SEED, 0)),
            ended=_ended(trial, sign),
        )
    return history


def _budget(trial: FrozenTrial) -> float:
    return float(trial.user_attrs.get(BUDGET, max(trial.intermediate_values, default=1.0)))


def _ended(trial: FrozenTrial, sign: float) -> Mapping[str, Any] | None:
    """Return the attributes of the evaluation, as for `append`."""
    if not trial.state.is_finished():
        return None
    from optuna.trial import TrialState

    steps = sorted(trial.intermediate_values.items())
    curve = tuple((float(step), sign * cost) for step, cost in steps)
    value = None if trial.value is None else sign * trial.value
    if trial.state is TrialState.PRUNED and curve:
        value = curve[-1][1]
    failed = trial.state is TrialState.FAIL or value is None
    diverged = value is not None and not math.isfinite(value)
    status = Status.CRASHED if failed else Status.DIVERGED if diverged else Status.SUCCESS
    return {
        "status": status,
        "cost": value if status is Status.SUCCESS else math.inf,
        "curve": curve,
        "seconds": 0.0 if trial.duration is None else trial.duration.total_seconds(),
        "metrics": dict(trial.user_attrs),
    }
