"""Histories as studies of Optuna (Akiba et al. 2019), and back."""

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
"""Attributes of a trial, for which Optuna has no place of its own."""


def to_study(
    history: History, *, storage: str | BaseStorage | None = None, name: str | None = None
) -> Study:
    """A new study of Optuna with a trial for each trial.

    Optuna keeps parameters, values, learning curves (at whole steps) and whether a trial has
    failed or still runs; budget and seed are user attributes, and so is all else, so that
    `from_study` gives back the same history.

    Args:
        history: what to write.
        storage: of Optuna, for instance 'sqlite:///study.db'; in memory by default.
        name: of the study.

    Raises:
        SpaceError: a hyperparameter has a distribution that Optuna doesn't know.
        DuplicatedStudyError: the storage has a study of this name.
    """
    import optuna

    known = {name: _distribution(history.space[name]) for name in history.space}
    written = optuna.create_study(storage=storage, study_name=name, direction="minimize")
    for trial, record in zip(history.trials, records(history), strict=True):
        ended = history.evaluation(trial.number)
        chosen = values(trial.configuration)
        written.add_trial(
            optuna.create_trial(
                state=_state(ended),
                value=ended.cost if ended is not None and ended.succeeded else None,
                params=chosen,
                distributions={name: known[name] for name in chosen},
                intermediate_values=_steps(ended),
                user_attrs={BUDGET: trial.budget, SEED: trial.seed, NAME: record},
            )
        )
    return written


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
    """The history that Optuna or `to_study` wrote.

    Trials of Optuna keep their order; each is a training from the beginning. The budget is that
    user attribute, or else the last step with an intermediate value, or else 1; the seed is that
    user attribute, or else 0. A pruned trial has the cost that it had when it was pruned. What
    is maximised there is minimised here as its negative.

    Args:
        study: of Optuna.
        space: whose configurations its parameters are.

    Raises:
        SpaceError: the parameters of a trial are no configuration of this space.
        ValueError: it has several objectives.
    """
    from optuna.study import StudyDirection

    if len(study.directions) > 1:
        raise ValueError(
            f"the study '{study.study_name}' has {len(study.directions)} objectives: a history "
            "has one cost a trial"
        )
    trials = study.get_trials(deepcopy=False)
    found = [trial.user_attrs[NAME] for trial in trials if NAME in trial.user_attrs]
    if found:
        return rebuilt(space, found)
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
    """The evaluation, as `append` takes it."""
    if not trial.state.is_finished():
        return None
    from optuna.trial import TrialState

    curve = [(float(step), sign * cost) for step, cost in sorted(trial.intermediate_values.items())]
    value = None if trial.value is None else sign * trial.value
    if trial.state is TrialState.PRUNED and curve:
        value = curve[-1][1]
    failed = trial.state is TrialState.FAIL or value is None
    diverged = value is not None and not math.isfinite(value)
    status = Status.CRASHED if failed else Status.DIVERGED if diverged else Status.SUCCESS
    return {
        "status": status,
        "cost": value if status is Status.SUCCESS else None,
        "curve": curve,
        "seconds": 0.0 if trial.duration is None else trial.duration.total_seconds(),
        "metrics": dict(trial.user_attrs),
    }
