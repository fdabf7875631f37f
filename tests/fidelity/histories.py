"""Histories for tests, made without a search."""

from ConfigSpace import ConfigurationSpace

from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.schedules.schedule import Promote, Schedule, Start, started


def space() -> ConfigurationSpace:
    return ConfigurationSpace({"x": (0.0, 1.0), "operation": ["a", "b"]})


def start(history: History, decision: Start | Promote, key: str | None = None) -> Trial:
    """Adds the trial that a schedule decided on."""
    number = len(history.trials)
    if isinstance(decision, Promote):
        parent = decision.trial
        trial = Trial(
            number,
            parent.configuration,
            parent.key,
            decision.budget,
            parent.seed,
            parent.number,
            parent.bracket,
        )
    else:
        configuration = history.space.get_default_configuration()
        trial = Trial(
            number, configuration, key or f"key{number}", decision.budget, bracket=decision.bracket
        )
    history.add_trial(trial)
    return trial


def end(history: History, trial: Trial, cost: float | None) -> Evaluation:
    """Adds an evaluation; without a cost it crashed."""
    evaluation = (
        Evaluation(trial, status=Status.CRASHED, error="it broke")
        if cost is None
        else Evaluation(trial, cost)
    )
    history.add_evaluation(evaluation)
    return evaluation


def simulate(schedule: Schedule, decisions: int, costs: dict[int, float | None]) -> History:
    """Follows a schedule with one worker; a trial costs what `costs` says of its root, or its
    root's number."""
    history, schedule = History(space()), started(schedule)
    root: dict[int, int] = {}
    for _ in range(decisions):
        decision = schedule.next(history)
        assert decision is not None
        trial = start(history, decision)
        root[trial.number] = trial.number if trial.parent is None else root[trial.parent]
        end(history, trial, costs.get(root[trial.number], float(root[trial.number])))
    return history
