from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bonas.plot import timeline
from bonas.plot.timeline import lanes
from fidelity.history.history import History
from fidelity.history.trial import Evaluation, Status
from fidelity.schedules.schedule import Start
from tests.bonas.plot.pictures import check, named, paper
from tests.bonas.plot.searches import parallel
from tests.fidelity.histories import space, start

SPANS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 5)), max_size=20)


def history(spans: list[tuple[int, int]], failed: int = -1) -> History:
    made = History(space())
    for number, (began, seconds) in enumerate(spans):
        trial = start(made, Start(float(1 + number % 2)))
        made.add_evaluation(
            Evaluation(
                trial,
                cost=float("inf") if number == failed else 0.5,
                started=float(began),
                seconds=float(seconds),
                status=Status.CRASHED if number == failed else Status.SUCCESS,
            )
        )
    return made


def test_the_picture_of_a_real_search() -> None:
    ax = timeline(parallel(), paper())
    assert named(ax)
    check(ax, "timeline")


def test_the_picture_of_failures() -> None:
    ax = timeline(history([(0, 3), (0, 5), (3, 4), (5, 1)], failed=1), paper(4, 2.4))
    check(ax, "timeline_failed")


def test_workers_by_hand() -> None:
    made = history([(0, 3), (0, 5), (3, 4), (5, 1), (6, 1)])
    assert lanes(made.evaluations) == [0, 1, 0, 1, 1]


def test_what_was_known_already_is_not_drawn() -> None:
    made = history([(0, 3)])
    again = start(made, Start(1.0))
    made.add_evaluation(Evaluation(again, cost=0.5, started=1.0, reused=0))
    assert len(timeline(made).patches) == 1


@given(SPANS)
def test_no_worker_does_two_things_at_once(spans: list[tuple[int, int]]) -> None:
    evaluations = history(spans).evaluations
    found = lanes(evaluations)
    for i, one in enumerate(evaluations):
        for j, other in enumerate(evaluations[:i]):
            if found[i] == found[j]:
                apart = one.started + one.seconds <= other.started
                assert apart or other.started + other.seconds <= one.started
    busy = max((sum(b <= t < b + s for b, s in spans) for t in range(26)), default=0)
    assert max(found, default=0) + 1 <= max(1, busy + sum(s == 0 for _, s in spans))


def test_an_empty_history_is_an_empty_picture() -> None:
    assert not timeline(History(space())).patches
