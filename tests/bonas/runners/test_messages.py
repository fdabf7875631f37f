from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from ConfigSpace import Configuration, ConfigurationSpace, EqualsCondition

from bonas.runners.messages import INTERRUPTED, Payload, answer, crash_answer, read_answer, request
from fidelity.checkpoint import Checkpoint
from fidelity.history.trial import Trial
from fidelity.objective import Context
from tests.bonas.runners.fakes import trial


def travelled(objective: Any, sent: Trial, context: Context) -> Any:
    """As if through two processes."""
    payload = Payload.unpacked(Payload.of(objective, sent).packed)
    requested = json.loads(json.dumps(request(sent, context)))
    return read_answer(answer(payload, requested), sent)


def test_what_is_evaluated_is_the_trial_in_its_context(tmp_path: Path) -> None:
    sent = Trial(7, trial(7).configuration, "key", 3.0, seed=5, parent=2, bracket=1)
    source, target = tmp_path / "trial-2.pt", tmp_path / "trial-7.pt"
    context = Context(Checkpoint(source, target), device="cuda:1", resumed=1.0)

    def telling(
        configuration: Configuration, budget: float, seed: int, context: Context
    ) -> dict[str, Any]:
        context.report(2, 0.5)
        checkpoint = context.checkpoint
        return {
            "cost": float(configuration["number"]),
            "told": [budget, seed, context.device, context.resumed],
            "files": [str(checkpoint.source), str(checkpoint.target)],
        }

    evaluation = travelled(telling, sent, context)
    assert evaluation.trial is sent
    assert evaluation.cost == 7.0
    assert evaluation.metrics["told"] == [3.0, 5, "cuda:1", 1.0]
    assert evaluation.metrics["files"] == [str(source), str(target)]
    assert evaluation.curve == ((2.0, 0.5),)


def test_inactive_choices_stay_inactive() -> None:
    space = ConfigurationSpace({"kind": ["a", "b"], "size": (1.0, 2.0)})
    space.add(EqualsCondition(space["size"], space["kind"], "b"))
    chosen = Configuration(space, values={"kind": "a"})
    sent = Trial(0, chosen, "key", 1.0)
    evaluation = travelled(lambda configuration: len(dict(configuration)), sent, Context())
    assert evaluation.cost == 1.0


def test_failures_come_back_whole() -> None:
    def broken(configuration: Configuration) -> float:
        raise ValueError("broken")

    evaluation = travelled(broken, trial(0), Context())
    assert (evaluation.status, evaluation.cost) == ("crashed", math.inf)
    assert 'raise ValueError("broken")' in evaluation.error
    early = read_answer(crash_answer(ModuleNotFoundError("No module named 'mine'")), trial(0))
    assert early.status == "crashed"
    assert "No module named 'mine'" in str(early.error)


def test_an_interrupt_of_the_objective_is_one_here() -> None:
    def interrupted(configuration: Configuration) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        travelled(interrupted, trial(0), Context())
    assert json.loads(json.dumps(INTERRUPTED)) == INTERRUPTED


def test_a_payload_serves_its_own_objective_and_space_alone() -> None:
    def objective(configuration: Configuration) -> float:
        return 1.0

    payload = Payload.of(objective, trial(0))
    assert payload.serves(objective, trial(1))
    assert not payload.serves(lambda configuration: 1.0, trial(1))
    other = ConfigurationSpace({"number": (0, 3)}).get_default_configuration()
    assert not payload.serves(objective, Trial(0, other, "key", 1.0))
