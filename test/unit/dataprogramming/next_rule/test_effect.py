"""What a rule does beside the others."""

import pytest

from adaptml.errors import LabellingError
from adaptml.project import Project
from dataprogramming.keyword_lfs import keyword_lf
from dataprogramming.next_rule.draft import with_draft
from dataprogramming.next_rule.effect import rule_effect
from dataprogramming.rule_lfs import RuleLF, number_lf


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


def test_a_draft_votes_without_being_a_rule_yet(pets: Project) -> None:
    votes = pets.apply_lfs("pets", "posts")
    both = with_draft(pets, "pets", votes, keyword_lf("sun", ["sun", "again"], "cat", "txt"))
    assert both.lf_names == ("cats", "dogs", "long", "sun")
    effect = rule_effect(both, "sun")  # on 4 alone, and on 5, whose gold is a cat
    assert (effect.votes, effect.new, effect.conflicts, effect.right, effect.wrong) == (2, 1, 1, 1, 0)
    assert votes.lf_names == ("cats", "dogs", "long")
    as_a_rule = rule_effect(both, "cats")
    assert (as_a_rule.new, rule_effect(votes, "cats").new) == (1, 1)


@pytest.mark.parametrize(
    ("draft", "facts"),
    [
        (keyword_lf("cats", ["sun"], "cat", "txt"), ["'cats' already", "another name"]),
        (keyword_lf("sun", ["sun"], "cow", "txt"), ["'sun'", "cow"]),
        (number_lf("sun", "cat", "txt", above=1), ["'txt'", "str", "numbers"]),
    ],
)
def test_drafts_that_cannot_vote(pets: Project, draft: RuleLF, facts: list[str]) -> None:
    with pytest.raises(LabellingError) as raised:
        with_draft(pets, "pets", pets.apply_lfs("pets", "posts"), draft)
    assert [fact for fact in facts if fact not in str(raised.value)] == []
