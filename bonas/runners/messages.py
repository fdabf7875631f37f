"""What goes to a worker and what comes back: plain values, and the objective once a worker."""

from __future__ import annotations

import json
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ConfigSpace import Configuration, ConfigurationSpace

from fidelity.checkpoint import Checkpoint, CheckpointWarning
from fidelity.history.records import evaluation_record, read_evaluation
from fidelity.history.trial import Evaluation, Status, Trial
from fidelity.objective import Context, Objective, ObjectiveError, evaluate

INTERRUPTED = "interrupted"


@dataclass(frozen=True, eq=False)
class Work:
    """What all orders of a search have in common, and what it is sent as.

    Attributes:
        objective: what is called.
        space: what the configurations are points of; a configuration by itself would bring it
            along each time.
        packed: the two as bytes.
    """

    objective: Objective
    space: ConfigurationSpace
    packed: bytes

    @classmethod
    def of(cls, objective: Objective, trial: Trial) -> Work:
        """Packs an objective, functions of a notebook or a script included.

        Raises:
            ObjectiveError: it cannot be sent to another process.
        """
        from bonas.runners import pickled

        space = trial.configuration.config_space
        try:
            return cls(objective, space, pickled.dumps((objective, space)))
        except Exception as error:  # whatever a foreign object raises
            raise ObjectiveError(
                f"the objective cannot be sent to another process ({error}): leave out of it "
                "what belongs to this one, such as open files, locks and generators"
            ) from error

    @classmethod
    def unpacked(cls, packed: bytes) -> Work:
        """In the worker."""
        import cloudpickle

        objective, space = cloudpickle.loads(packed)
        return cls(objective, space, packed)

    def serves(self, objective: Objective, trial: Trial) -> bool:
        """Whether a worker that has this needs nothing else for this trial."""
        return self.objective is objective and self.space is trial.configuration.config_space


def order(trial: Trial, context: Context) -> dict[str, Any]:
    """A trial and its context as plain values."""
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


def carry_out(work: Work, ordered: dict[str, Any]) -> str:
    """In the worker: evaluates, and returns the answer as JSON."""
    fields = dict(ordered)
    vector = np.array(fields.pop("vector"), dtype=np.float64)
    source, target = fields.pop("source"), fields.pop("target")
    checkpoint = Checkpoint(source and Path(source), target and Path(target))
    context = Context(checkpoint, fields.pop("device"), fields.pop("resumed"))
    trial = Trial(configuration=Configuration(work.space, vector=vector), **fields)
    try:
        record = evaluation_record(evaluate(work.objective, trial, context))
        return json.dumps({**record, "warnings": checkpoint.notices})
    except KeyboardInterrupt:
        return json.dumps(INTERRUPTED)


def failed(error: BaseException) -> str:
    """In the worker: the answer where the objective could not even be called."""
    text = "".join(traceback.format_exception(error))
    return json.dumps({"status": Status.CRASHED, "error": text})


def read(answer: str, trial: Trial) -> Evaluation:
    """The evaluation of `trial` that an answer means; what the worker warned of is warned of here.

    Raises:
        KeyboardInterrupt: the objective raised it.
    """
    record = json.loads(answer)
    if record == INTERRUPTED:
        raise KeyboardInterrupt
    for text in record.pop("warnings", ()):
        warnings.warn(text, CheckpointWarning, stacklevel=2)
    return read_evaluation({"cost": None, "curve": (), **record}, trial)
