from __future__ import annotations

from fidelity.history.records import recommendation_record, recommended_trial


def test_a_recommendation_counts_until_an_evaluation_follows_it() -> None:
    recommended, evaluated = recommendation_record(3), {"kind": "evaluation"}
    assert recommended_trial([]) is None
    assert recommended_trial([evaluated, recommended]) == 3
    assert recommended_trial([recommended, recommendation_record(4)]) == 4
    assert recommended_trial([recommended, evaluated]) is None


def test_a_note_of_a_person_recommends_nothing() -> None:
    note = {"kind": "note", "text": "the fan was replaced", "recommended": "trial 7"}
    assert recommended_trial([recommendation_record(3), note]) == 3
