"""Votes for one of several classes, inside the label models: by hand, and on rules that know only pairs."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tolerances import FLOAT64_ATOL

from adaptml.errors import LabellingError
from adaptml.label_scoring import load_model
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import Gold, correct_votes
from dataprogramming.label_models.dawid_skene import DawidSkene
from dataprogramming.label_models.majority import MajorityVote
from dataprogramming.label_models.snorkel_model import SnorkelLabelModel
from dataprogramming.label_models.union import Union
from dataprogramming.label_models.weighted_vote import WeightedVote

Votes = npt.NDArray[np.int8]
PAIRS = ((0, 1), (1, 2), (2, 3), (0, 3))
ALL_PAIRS = (*PAIRS, (0, 2), (1, 3))
FIRST, SECOND = 4, 5  # codes of the first two pairs


def test_majority_vote_splits_a_vote_evenly() -> None:
    """Half a vote for 0, a whole one for 1 and half a one for 2, and the balance of a quarter each, of 3 votes."""
    votes = np.array([[FIRST, SECOND]], np.int8)
    probs = MajorityVote(4, PAIRS).fit(votes).predict_proba(votes)
    np.testing.assert_allclose(probs, [[0.75 / 3, 1.25 / 3, 0.75 / 3, 0.25 / 3]], atol=FLOAT64_ATOL)


def test_weighted_vote_by_hand() -> None:
    """Twenty points of each of four classes; the rule says `0 or 1` on all of 0, on ten of 1 and on ten of 2.

    30 of 40 votes are right, half of them by chance: κ = (30 - 20 + 1) / (40 - 20 + 2) = 1/2. So an imaginary vote
    means 0 or 1 with 1/2 * 1/2 + 1/2 * 1/4 = 3/8 each, 2 and 3 with 1/8 each, and of five such
    and the 40 on gold 20 + 15/8 are of class 0, 10 + 15/8 of 1, 10 + 5/8 of 2 and 5/8 of 3.
    """
    truth = np.repeat(np.arange(4), 20)
    L = np.full((80, 1), -1, np.int8)
    L[:30], L[40:50] = FIRST, FIRST
    model = WeightedVote(4, PAIRS).fit(L, L, np.eye(4, dtype=np.int8)[truth])
    expected = np.array([20 + 15 / 8, 10 + 15 / 8, 10 + 5 / 8, 5 / 8]) / 45
    np.testing.assert_allclose(model.predict_proba(L[:1])[0], expected, atol=FLOAT64_ATOL)
    np.testing.assert_allclose(model.fitted_.weights, expected[:2].sum(), atol=FLOAT64_ATOL)


@pytest.mark.parametrize("kind", [MajorityVote, WeightedVote, DawidSkene])
def test_two_pairs_that_share_a_class_name_it(kind: type[LabelModel]) -> None:
    truth = np.arange(80) % 4
    L = np.column_stack([np.where(truth < 2, FIRST, -1), np.where((truth == 1) | (truth == 2), SECOND, -1)])
    L = L.astype(np.int8)
    model = kind(4, PAIRS).fit(L, L, np.eye(4, dtype=np.int8)[truth])
    assert model.predict(np.array([[FIRST, SECOND]], np.int8)).tolist() == [[0, 1, 0, 0]]


def test_a_vote_for_a_set_is_right_where_the_point_has_one_of_its_classes() -> None:
    gold = Gold(np.array([[FIRST], [FIRST], [FIRST], [1]], np.int8), np.eye(4, dtype=np.int8)[[0, 1, 2, 1]])
    assert correct_votes(gold, PAIRS).tolist() == [3]


def coarse(n: int, seed: int) -> tuple[Votes, npt.NDArray[np.int64]]:
    """Six rules that speak on half of the points, where four times in five they name the class.

    In one of four cases they can tell it alone, else they name it with another class, as ALL_PAIRS has them.
    """
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 4, n)
    said = np.where(rng.random((n, 6)) < 0.8, truth[:, None], rng.integers(0, 4, (n, 6)))
    other = (said + rng.integers(1, 4, (n, 6))) % 4
    code = np.full((4, 4), -1)
    for i, (c, d) in enumerate(ALL_PAIRS):
        code[c, d] = code[d, c] = 4 + i
    L = np.where(rng.random((n, 6)) < 0.25, said, code[said, other])
    return np.where(rng.random((n, 6)) < 0.5, L, -1).astype(np.int8), truth


@pytest.mark.parametrize("kind", [MajorityVote, WeightedVote, DawidSkene])
def test_coarse_rules_are_worth_more_as_they_are_than_forced_to_choose_or_silent(
    kind: type[LabelModel],
) -> None:
    """Forced, a rule names the first class of the pair; silent, it speaks only where it can tell the class."""
    L, truth = coarse(2000, 0)
    Y = np.eye(4, dtype=np.int8)[truth]
    meant = np.array([-1, 0, 1, 2, 3, *(pair[0] for pair in ALL_PAIRS)], np.int8)
    forced, silent = meant[L + 1], np.where(L < 4, L, -1).astype(np.int8)

    def right(votes: Votes, sets: tuple[tuple[int, ...], ...] = ()) -> float:
        model = kind(4, sets).fit(votes, votes[:100], Y[:100])
        return model.score(votes, Y)

    as_they_are = right(L, ALL_PAIRS)
    assert as_they_are > 0.75
    assert as_they_are > max(right(forced), right(silent)) + 0.1


def test_a_file_keeps_the_sets_and_one_of_before_has_none(tmp_path: Path) -> None:
    L, truth = coarse(200, 1)
    model = DawidSkene(4, ALL_PAIRS).fit(L, L, np.eye(4, dtype=np.int8)[truth])
    path = model.save(tmp_path / "model.npz")
    again = LabelModel.load(path)
    assert again.get_params()["sets"] == ALL_PAIRS
    np.testing.assert_allclose(again.predict_proba(L), model.predict_proba(L), atol=FLOAT64_ATOL)
    with np.load(path) as file:
        before = {name: values for name, values in file.items() if name != "sets"}
    np.savez(tmp_path / "before.npz", allow_pickle=False, **before)
    assert load_model(tmp_path / "before.npz")[0].sets == ()


def test_label_models_that_take_single_classes_only_say_so() -> None:
    votes = np.full((3, 3), FIRST, np.int8)
    with pytest.raises(
        LabellingError,
        match=r"one of 4 sets of classes, and the label model snorkel takes single .*use another",
    ):
        SnorkelLabelModel(4, PAIRS).fit(votes)
    with pytest.raises(
        LabellingError, match=r"label model union takes .* in a multilabel task, let them return s"
    ):
        Union(4, PAIRS).fit(votes)
    with pytest.raises(LabellingError, match=r"integers .* from -1 to 4 for 4 classes and 1 sets of them"):
        MajorityVote(4, PAIRS[:1]).fit(np.array([[5]], np.int8))
