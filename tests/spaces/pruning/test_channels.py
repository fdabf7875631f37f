from __future__ import annotations

import torch

from spaces import Norm
from spaces.pruning.channels import Channels


def test_ties_are_transitive() -> None:
    channels = Channels()
    a, b, c = (channels.fresh(3) for _ in range(3))
    channels.tie(a, b)
    channels.tie(b, c[::-1])
    assert channels.roots(c).tolist() == [2, 1, 0]


def test_groups_lose_the_same_positions() -> None:
    channels = Channels()
    ids = channels.fresh(6)
    channels.tie_across(ids, 2)
    assert channels.roots(ids).tolist() == [0, 1, 2, 0, 1, 2]


def test_a_set_stays_if_one_of_it_must_and_the_first_reason_counts() -> None:
    channels = Channels()
    a, b = channels.fresh(2), channels.fresh(2)
    channels.fix(b[:1], "an output")
    channels.fix(b[:1], "another reason")
    channels.tie(a, b)
    assert channels.fixed() == {0: "an output"}


def test_norms_are_those_of_the_slices() -> None:
    weight = torch.tensor([[3.0, -4.0], [1.0, 0.0]])
    assert Norm(1)(weight).tolist() == [7.0, 1.0]
    assert Norm()(weight).tolist() == [5.0, 1.0]
