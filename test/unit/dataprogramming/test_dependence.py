"""Rules that repeat each other: found, named, and counted once."""

import numpy as np
import numpy.typing as npt
import pytest

from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import Gold
from dataprogramming.label_models.dawid_skene import DawidSkene
from dataprogramming.label_models.dependence import Dependent, exponents, find_dependent
from dataprogramming.label_models.overlaps import overlaps
from dataprogramming.label_models.weighted_vote import WeightedVote

Votes = npt.NDArray[np.int8]


def rules(n: int = 1000, accuracy: float = 0.8, coverage: float = 0.4) -> tuple[Votes, npt.NDArray[np.int64]]:
    """Four rules for two classes that are right and speak independently of each other, and the truth."""
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 2, n)
    right = rng.random((n, 4)) < accuracy
    L = np.where(right, truth[:, None], 1 - truth[:, None]).astype(np.int8)
    L[rng.random((n, 4)) > coverage] = -1
    return L, truth


def of_one_class(L: Votes) -> Votes:
    return np.where(np.equal(L, np.arange(L.shape[1]) % 2), L, -1).astype(np.int8)


def gold_of(L: Votes, truth: npt.NDArray[np.int64]) -> Gold:
    return Gold(L, np.eye(2, dtype=np.int8)[truth])


@pytest.mark.parametrize("accuracy", [0.6, 0.8, 0.98])
@pytest.mark.parametrize("coverage", [0.1, 0.5, 1.0])
def test_rules_that_agree_because_they_are_right_are_no_copies(accuracy: float, coverage: float) -> None:
    L, truth = rules(accuracy=accuracy, coverage=coverage)
    for votes in (L, of_one_class(L)):
        assert find_dependent(votes, list("abcd")) == []
        assert find_dependent(votes, list("abcd"), gold_of(votes[:200], truth[:200])) == []


def test_a_copy_a_list_within_a_list_and_the_share_of_votes() -> None:
    """Rule `in` has every second vote of `a`; of the 100 votes of `near`, 95 are those of `b`, as are 95 of b's 100."""
    n = 2000
    truth = np.arange(n) % 2
    L = np.full((n, 5), -1, np.int8)
    ones, zeros = np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)
    L[ones[:200], 0] = 1
    L[ones[:200:2], 1] = 1
    L[zeros[:100], 2] = 0
    L[zeros[5:105], 3] = 0
    L[zeros[300:400], 4] = 0
    found = find_dependent(L, ["a", "in", "b", "near", "else"])
    assert found == [Dependent("in", "a", "contained", 1.0), Dependent("b", "near", "duplicate", 0.95)]
    # a: half its votes are repeated, which is no copy; `in` counts half; b and near nearly so
    own = exponents(overlaps(L, 2), None, 2)
    np.testing.assert_allclose(own, [1, 1 / 2, 1 / 1.95, 1 / 1.95, 1], atol=0.01)


def test_three_votes_that_happen_to_meet_those_of_a_large_rule_tell_nothing() -> None:
    L = np.full((100, 2), -1, np.int8)
    L[:40, 0], L[:3, 1] = 1, 1
    assert find_dependent(L, ["large", "small"]) == []


def test_copies_that_err_alike_are_told_by_gold_where_they_vote_on_every_point() -> None:
    L, truth = rules(coverage=1.0)
    both = np.column_stack([L, L[:, 0]])
    (found,) = find_dependent(both, list("abcde"), gold_of(both[:200], truth[:200]))
    assert found == Dependent("a", "e", "duplicate", 1.0)


def test_votes_for_the_same_set_can_be_copies_and_gold_of_several_classes_is_not_asked() -> None:
    L = np.full((400, 2), -1, np.int8)
    L[:100] = 3  # 0 … 2 are classes and 3 is the set of the first two
    assert [pair.kind for pair in find_dependent(L, ["a", "b"], sets=((0, 1),))] == ["duplicate"]
    several = Gold(L[:2], np.array([[1, 1, 0], [0, 0, 0]], np.int8))
    assert len(find_dependent(L, ["a", "b"], several, ((0, 1),))) == 1


@pytest.mark.parametrize("kind", [WeightedVote, DawidSkene])
@pytest.mark.parametrize("one_class", [True, False])
def test_a_rule_written_five_times_is_believed_as_one(kind: type[LabelModel], one_class: bool) -> None:
    """Without the correction, a vote of the copied rule would go from about 0.8 to 0.8^5 / (0.8^5 + 0.2^5) = 0.999."""
    L, truth = rules()
    L = of_one_class(L) if one_class else L
    five = np.column_stack([L, *[L[:, 0]] * 4])
    gold = slice(0, 300)
    probs, copied = (
        kind(2).fit(votes, votes[gold], np.eye(2, dtype=np.int8)[truth[gold]]).predict_proba(votes)
        for votes in (L, five)
    )
    assert np.abs(copied - probs).max() < 0.04
