"""What a rule does beside the others."""

import pytest

from adaptml.errors import LabellingError
from adaptml.project import Project
from dataprogramming.next_rule.effect import rule_effect


def test_effect_by_hand(pets: Project) -> None:
    # cats: 1 3 5; dogs: 2 3 6; long (a dog): 3 5. Gold: 2 dog, 3 5 6 cat.
    votes = pets.apply_lfs("pets", "posts")
    effect = {name: rule_effect(votes, name) for name in votes.lf_names}
    cats, dogs, long = effect["cats"], effect["dogs"], effect["long"]
    assert (cats.n, cats.votes, cats.new, cats.conflicts) == (6, 3, 1, 2)
    assert (cats.covered_before, cats.covered_after) == (4, 5)
    assert (cats.right, cats.wrong) == (2, 0)
    assert (dogs.votes, dogs.new, dogs.conflicts, dogs.right, dogs.wrong) == (3, 2, 1, 1, 2)
    assert (long.votes, long.new, long.conflicts, long.right, long.wrong) == (2, 0, 2, 0, 2)
    assert votes.keys["id"][cats.new_rows].tolist() == ["1"]
    assert dogs.accuracy == pytest.approx((0.0615, 0.7923), abs=1e-4)  # Wilson's of 1 in 3


def test_without_gold_nothing_is_right_or_wrong(pets: Project) -> None:
    effect = rule_effect(pets.apply_lfs("pets", "posts", gold=None), "cats")
    assert (effect.right, effect.wrong, effect.accuracy) == (None, None, None)


def test_no_such_rule(pets: Project) -> None:
    with pytest.raises(LabellingError, match="'cows'; expected one of cats, dogs, long"):
        rule_effect(pets.apply_lfs("pets", "posts"), "cows")
