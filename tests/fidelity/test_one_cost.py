from __future__ import annotations

from fidelity.history import History
from fidelity.one_cost import one_cost
from fidelity.schedules.schedule import Start
from fidelity.target import Constraint, Target
from fidelity.trial import Evaluation
from tests.fidelity.histories import space, start


def test_where_nothing_keeps_the_limits_of_several_objectives_the_closest_comes_first() -> None:
    target = Target(("cost", "size"), (Constraint("size", at_most=1.0),))
    history = History(space(), target=target)
    for size in (5.0, 2.0, 3.0):
        trial = start(history, Start(1.0))
        history.add_evaluation(Evaluation(trial, 0.5, metrics={"size": size}))
    seen = one_cost(history)
    assert [e.trial.number for e in sorted(seen.evaluations, key=lambda e: e.cost)] == [1, 2, 0]
    assert history.incumbent is None
