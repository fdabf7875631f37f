"""Messages between a runner and its workers: plain values, and one payload per worker."""

from __future__ import annotations

import json
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace

from bonas.runners import pickled
from fidelity.checkpoint import Checkpoint, CheckpointWarning
from fidelity.history.records import evaluation_record, read_evaluation
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.objective import Context, Objective, ObjectiveError, evaluate

INTERRUPTED, CRASH = "interrupted", "crash"


@dataclass(frozen=True, eq=False)
class Payload:
    """The objective and the space, which a worker receives once for all trials of a search.

    Attributes:
        objective: to evaluate.
        space: of the configurations, each of which would otherwise carry it along.
        packed: both as bytes.
    """

    objective: Objective
    space: ConfigurationSpace
    packed: bytes

    @classmethod
    def of(cls, objective: Objective, trial: Trial) -> Payload:
        """Pack an objective, which may be a function of a notebook or a script.

        Args:
            objective: to evaluate.
            trial: a trial of the search, whose configuration knows its space.

        Raises:
            ObjectiveError: the objective cannot be sent to another process.
        """
        space = trial.configuration.config_space
        try:
            return cls(objective, space, pickled.dumps((objective, space)))
        except Exception as error:  # a foreign object may raise anything
            raise ObjectiveError(
                f"the objective cannot be sent to another process ({error}): remove what belongs "
                "to this process from it, such as open files, locks and generators"
            ) from error

    @classmethod
    def unpacked(cls, packed: bytes) -> Payload:
        """Unpack the payload in the worker."""
        import cloudpickle

        objective, space = cloudpickle.loads(packed)
        return cls(objective, space, packed)

    def serves(self, objective: Objective, trial: Trial) -> bool:
        """Return whether a worker with this payload can evaluate a trial.

        Args:
            objective: to evaluate.
            trial: to evaluate.
        """
        return self.objective is objective and self.space is trial.configuration.config_space


def request(trial: Trial, context: Context) -> dict[str, Any]:
    """Return the request for an evaluation, as plain values.

    Args:
        trial: to evaluate.
        context: of the evaluation.
    """
    checkpoint = context.checkpoint
    return {
        "vector": trial.configuration.get_array().tolist(),
        "number": trial.number,
        "key": trial.key,
        "budget": trial.budget,
        "seed": trial.seed,
        "parent": trial.parent,
        "bracket": trial.bracket,
        "source": checkpoint.source and str(checkpoint.source.absolute()),
        "target": checkpoint.target and str(checkpoint.target.absolute()),
        "device": context.device,
        "resumed": context.resumed,
    }


def answer(payload: Payload, requested: dict[str, Any]) -> str:
    """Evaluate in the worker, and return the answer as JSON.

    Args:
        payload: of the search.
        requested: as `request` returned it.
    """
    fields = dict(requested)
    vector = np.array(fields.pop("vector"), dtype=np.float64)
    source, target = fields.pop("source"), fields.pop("target")
    checkpoint = Checkpoint(source and Path(source), target and Path(target))
    context = Context(checkpoint, fields.pop("device"), fields.pop("resumed"))
    trial = Trial(configuration=Configuration(payload.space, vector=vector), **fields)
    try:
        record = evaluation_record(evaluate(payload.objective, trial, context))
        return json.dumps({**record, "warnings": checkpoint.notices})
    except KeyboardInterrupt:
        return json.dumps(INTERRUPTED)


def crash_answer(error: BaseException) -> str:
    """Return the answer of a worker that could not even call the objective."""
    text = "".join(traceback.format_exception(error))
    return json.dumps({CRASH: text})


def read_answer(text: str, trial: Trial) -> Evaluation:
    """Return the evaluation in an answer, and repeat the warnings of the worker in this process.

    Args:
        text: of the answer.
        trial: that was requested.

    Raises:
        KeyboardInterrupt: the objective raised it.
    """
    record = json.loads(text)
    if record == INTERRUPTED:
        raise KeyboardInterrupt
    for warning in record.pop("warnings", ()):
        warnings.warn(warning, CheckpointWarning, stacklevel=2)
    if CRASH in record:
        return Evaluation(trial, status=Status.CRASHED, error=record[CRASH])
    return read_evaluation(record, trial)
