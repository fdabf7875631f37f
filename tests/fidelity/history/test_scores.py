from __future__ import annotations

import math

import pytest
from ConfigSpace import ConfigurationSpace

from fidelity.history.history import History
from fidelity.history.records import read_scored, scored_record
from fidelity.history.scores import Scored, Scores

SPACE = ConfigurationSpace({"depth": (1, 9)})


def scored(depth: int, **scores: float) -> Scored:
    configuration = SPACE.get_default_configuration()
    configuration["depth"] = depth
    return Scored(configuration, str(depth), scores, seconds=0.5, started=2.0)


def test_infinite_scores_are_none() -> None:
    assert math.isnan(scored(1, a=-math.inf).scores["a"])


def test_a_record_reads_back() -> None:
    written = scored(3, a=1.5, b=math.nan)
    record = scored_record(written)
    assert record["scores"] == {"a": 1.5, "b": None}
    read = read_scored(record, SPACE)
    assert read.configuration == written.configuration
    assert read.scores["a"] == 1.5
    assert math.isnan(read.scores["b"])
    assert (read.key, read.seconds, read.started) == ("3", 0.5, 2.0)


def test_an_unknown_member_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown members: 'more'"):
        read_scored({**scored_record(scored(3)), "more": 1}, SPACE)


def test_a_network_is_scored_once() -> None:
    history = History(SPACE)
    history.append(scored_record(scored(3, a=1.0)))
    with pytest.raises(ValueError, match="the network 3 is scored twice"):
        history.append(scored_record(scored(3, a=1.0)))
    assert "3" in history.scores
    assert history.scores.seconds == 0.5
    assert history.scores.summary == "1 network scored in 0.5 s"
    assert Scores().summary == ""
