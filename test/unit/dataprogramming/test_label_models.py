"""Label models on tiny label matrices, worked out by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from tolerances import FLOAT64_ATOL

from adaptml.errors import LabellingError
from adaptml.label_scoring import thresholds_or_best
from adaptml.tasks import MULTICLASS, MULTILABEL
from dataprogramming.label_models.base import LabelModel
from dataprogramming.label_models.core import Gold, covered
from dataprogramming.label_models.dawid_skene import DawidSkene
from dataprogramming.label_models.majority import MajorityVote
from dataprogramming.label_models.mixture_em import MixtureEM, best_thresholds
from dataprogramming.label_models.registry import label_models, label_models_for
from dataprogramming.label_models.snorkel_model import SnorkelLabelModel
from dataprogramming.label_models.union import Union
from dataprogramming.label_models.weighted_vote import WeightedVote


def gold_of(votes: list[list[int]], classes: list[int], k: int) -> Gold:
    return Gold(np.array(votes, np.int8), np.eye(k, dtype=np.int8)[classes])


def test_covered() -> None:
    assert covered(np.array([[-1, -1], [-1, 0]], np.int8)).tolist() == [False, True]


@given(st.integers(0, 10**6))
@settings(max_examples=30)
def test_whatever_the_votes_and_gold_probabilities_are_such_and_the_union_is_the_union(seed: int) -> None:
    """Rules that are silent on one side and speak on the other, classes that gold does not have, no gold."""
    rng = np.random.default_rng(seed)
    k, m, g = int(rng.integers(2, 6)), int(rng.integers(1, 6)), int(rng.integers(0, 25))
    L, gold_L = random_votes(seed, 30, m, k), random_votes(seed + 1, g, m, k)
    L[:, rng.random(m) < 0.3] = gold_L[:, rng.random(m) < 0.3] = -1
    Y = np.eye(k, dtype=np.int8)[rng.choice(rng.integers(0, k, 2), g)]
    for kind in (MajorityVote, WeightedVote, DawidSkene, Union, MixtureEM):
        if g == 0 and kind.needs_gold:
            continue
        probs = kind(k).fit(L, gold_L, Y).predict_proba(np.vstack([L, gold_L]))
        assert (probs >= 0).all()
        assert (probs <= 1).all()
        if kind.problem is MULTICLASS:
            np.testing.assert_allclose(probs.sum(axis=1), 1)
    named = [np.equal(L, c).any(axis=1) for c in range(k)]
    np.testing.assert_array_equal(Union(k).fit(L, gold_L, Y).predict(L), np.column_stack(named))


def test_class_balance_is_smoothed() -> None:
    gold = gold_of([[0], [0], [0]], [0, 0, 1], 3)
    np.testing.assert_allclose(MULTICLASS.class_prior(gold.Y, 3), [3 / 6, 2 / 6, 1 / 6])
    np.testing.assert_allclose(MULTILABEL.class_prior(gold.Y, 3), [3 / 5, 2 / 5, 1 / 5])
    np.testing.assert_allclose(MULTICLASS.class_prior(None, 4), [0.25] * 4)
    np.testing.assert_allclose(MULTILABEL.class_prior(None, 2), [0.5, 0.5])


def test_majority_breaks_ties_by_the_class_balance() -> None:
    votes = np.array([[0, 1, -1], [0, 0, 1], [-1, -1, -1]], np.int8)
    gold = gold_of([[-1, -1, -1]] * 3, [0, 1, 1], 2)  # balance (1 + 1) / 5 and (2 + 1) / 5
    probs = MajorityVote(2).fit(votes, gold.L, gold.Y).predict_proba(votes)
    np.testing.assert_allclose(probs, [[1.4 / 3, 1.6 / 3], [2.4 / 4, 1.6 / 4], [0.4, 0.6]])


def test_weighted_vote_on_gold_without_votes() -> None:
    silent = np.full((1, 2), -1, np.int8)
    model = WeightedVote(3).fit(silent, silent, np.array([[0, 1, 0]], np.int8))
    np.testing.assert_allclose(model.predict_proba(silent), [[1 / 4, 2 / 4, 1 / 4]])
    assert np.isfinite(model.fitted_.table).all()


def test_union_names_every_class_with_a_vote() -> None:
    votes = np.array([[0, 2, -1], [-1, -1, 1], [-1, -1, -1]], np.int8)
    assert Union(3).fit(votes).predict(votes).tolist() == [[1, 0, 1], [0, 1, 0], [0, 0, 0]]


def test_union_believes_votes_and_silence_as_far_as_gold_bears_them_out() -> None:
    """LF 0 is right on 3 of 4 points, LF 1 on both of its two; of the 6 that LF 1 does not name, one is of its class.

    All votes: (5 + 4) / (6 + 5) = 9/11, which is how often 5 imaginary votes of each LF are right. No point without
    a vote for class 0 has it, so that silence leaves it (0 + 1) / (4 + 2), and class 1 (1 + 1) / (6 + 2).
    """
    votes = np.array([[0, -1]] * 4 + [[-1, 1]] * 2 + [[-1, -1]] * 2, np.int8)
    Y = np.array([[1, 0]] * 3 + [[0, 0]] + [[0, 1]] * 3 + [[0, 0]], np.int8)
    model = Union(2).fit(votes, votes, Y)
    a = [(3 + 45 / 11) / 9, (2 + 45 / 11) / 7]
    np.testing.assert_allclose(model.fitted_.weights, a)
    asked = np.array([[0, -1], [-1, 1], [0, 0], [-1, -1]], np.int8)
    probs = model.predict_proba(asked)
    both = 1 - (1 - a[0]) * (1 - a[1]) / (1 - 1 / 6)
    np.testing.assert_allclose(probs, [[a[0], 1 / 4], [1 / 6, a[1]], [both, 1 / 4], [1 / 6, 1 / 4]])
    assert model.decide(probs).tolist() == [[1, 0], [0, 1], [1, 0], [0, 0]]


def test_union_names_a_class_by_its_votes_even_where_silence_is_more_often_right() -> None:
    """A class that every point has, and a rule for it that is silent on most."""
    votes = np.array([[0]] * 2 + [[-1]] * 20, np.int8)
    model = Union(1).fit(votes, votes, np.array([[0]] * 2 + [[1]] * 20, np.int8))
    probs = model.predict_proba(np.array([[0], [-1]], np.int8))
    assert probs[0, 0] > probs[1, 0] == 21 / 22
    assert model.decide(probs).tolist() == [[1], [0]]


def planted(rng: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Two independent classes; three LFs a class that vote on 70 % of its points and on 5 % of the others."""
    Y = (rng.random((n, 2)) < [0.4, 0.2]).astype(np.int8)
    L = np.full((n, 6), -1, np.int8)
    for j in range(6):
        fires = rng.random(n) < np.where(Y[:, j % 2] == 1, 0.7, 0.05)
        L[fires, j] = j % 2
    return L, Y


def test_em_finds_planted_classes_and_beats_the_union() -> None:
    L, Y = planted(np.random.default_rng(0), 4000)
    em, union = (model(2).fit(L, L[:2000], Y[:2000]) for model in (MixtureEM, Union))
    right = [(model.predict(L) == Y).mean() for model in (union, em)]
    assert right[1] > right[0] + 0.02
    # precision of votes: .4 * .7 / (.4 * .7 + .6 * .05) = .90 and .2 * .7 / (.2 * .7 + .8 * .05) = .78
    np.testing.assert_allclose(em.fitted_.weights, [0.90, 0.78] * 3, atol=0.04)


def test_em_where_every_rule_is_silent() -> None:
    """Of the first class .4 * .3^3 / (.4 * .3^3 + .6 * .95^3) = .021 of such points, of the second .007."""
    L, Y = planted(np.random.default_rng(0), 4000)
    probs = MixtureEM(2).fit(L, L[:2000], Y[:2000]).predict_proba(np.full((1, 6), -1, np.int8))
    np.testing.assert_allclose(probs, [[0.021, 0.007]], atol=0.005)


def test_em_without_votes_for_a_class_gives_its_rate() -> None:
    em = MixtureEM(2).fit(np.array([[0, 0], [0, -1], [-1, -1]], np.int8))
    np.testing.assert_allclose(em.predict_proba(np.array([[0, -1]], np.int8))[:, 1], [0.5])


def test_thresholds_with_the_best_f1() -> None:
    Y = np.array([[1, 1]] * 5 + [[0, 0]] * 5, np.int8)
    probs = np.column_stack([[0.32] * 5 + [0.27] * 5, [0.9] * 5 + [0.82] * 5])
    np.testing.assert_allclose(best_thresholds(probs, Y), [0.3, 0.85])


def test_few_gold_points_keep_the_threshold() -> None:
    np.testing.assert_allclose(
        best_thresholds(np.array([[0.3], [0.2]]), np.array([[1], [0]], np.int8)), [0.5]
    )


@pytest.mark.parametrize("k", [2, 3])
def test_every_probability_of_the_vote_models_is_a_distribution(k: int) -> None:
    rng = np.random.default_rng(1)
    L = rng.integers(-1, k, (50, 4)).astype(np.int8)
    gold = gold_of(L[:20].tolist(), rng.integers(0, k, 20).tolist(), k)
    for model in (MajorityVote(k), WeightedVote(k)):
        probs = model.fit(L, gold.L, gold.Y).predict_proba(L)
        assert (probs > 0).all()
        np.testing.assert_allclose(probs.sum(axis=1), 1)


EVERY = list(label_models().values())


def fitted(kind: type[LabelModel], k: int = 3, n: int = 80, m: int = 4, seed: int = 0) -> LabelModel:
    L = random_votes(seed, n, m, k)
    Y = np.eye(k, dtype=np.int8)[np.random.default_rng(seed).integers(0, k, n)]
    model = kind(k, n_epochs=20) if "n_epochs" in kind.Config.model_fields else kind(k)
    return model.fit(L, L, Y)


def random_votes(seed: int, n: int, m: int, k: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-1, k, (n, m)).astype(np.int8)


def test_every_label_model_of_the_folder_is_found_the_simplest_first() -> None:
    assert {problem.name: list(label_models_for(problem)) for problem in (MULTICLASS, MULTILABEL)} == {
        "multiclass": ["majority_vote", "weighted_vote", "snorkel", "dawid_skene"],
        "multilabel": ["union", "em", "knee"],
    }


@pytest.mark.parametrize("kind", EVERY)
def test_a_clone_has_the_parameters_and_has_learned_nothing(kind: type[LabelModel]) -> None:
    model = fitted(kind)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert copy.get_params()["cardinality"] == 3
    with pytest.raises(LabellingError, match=f"{kind.name} has not learned anything yet; call fit"):
        copy.predict(random_votes(1, 5, 4, 3))


@pytest.mark.parametrize("kind", EVERY)
def test_what_is_saved_is_read_as_the_same_model(kind: type[LabelModel], tmp_path: Path) -> None:
    before = fitted(kind)
    after = LabelModel.load(before.save(tmp_path / "model.npz"))
    L = random_votes(2, 50, 4, 3)
    assert type(after) is kind
    assert after.get_params() == before.get_params()
    np.testing.assert_allclose(after.predict_proba(L), before.predict_proba(L), rtol=0, atol=FLOAT64_ATOL)
    np.testing.assert_array_equal(after.predict(L), before.predict(L))


@pytest.mark.parametrize("kind", EVERY)
@given(seed=st.integers(0, 10**6))
@settings(max_examples=10)
def test_labels_are_those_of_the_arrays_that_go_with_a_registered_model(
    kind: type[LabelModel], seed: int
) -> None:
    model = fitted(kind, seed=seed, n=40)
    L = random_votes(seed + 1, 30, 4, 3)
    np.testing.assert_array_equal(model.predict(L), model.fitted_.decide(model.fitted_.predict_proba(L)))


def test_em_names_the_most_probable_class_where_that_was_better_on_gold() -> None:
    model = fitted(label_models()["em"])
    model.fitted_ = replace(model.fitted_, decision=thresholds_or_best, thresholds=np.full(3, 0.99))
    L = random_votes(5, 40, 4, 3)
    assert (model.predict(L).sum(axis=1) == 1)[covered(L)].all()
    np.testing.assert_array_equal(model.predict(L), model.fitted_.decide(model.predict_proba(L)))


def test_the_score_is_the_mean_of_the_problem_types_scores() -> None:
    votes = np.array([[0, 0], [1, 1], [0, -1]], np.int8)
    assert MajorityVote(2).fit(votes).score(votes, np.array([[1, 0], [1, 0], [1, 0]])) == pytest.approx(2 / 3)
    # label sets {0}, {1}, {0} against {0, 1}, {1}, {1}: 2/3, 1 and 0
    assert Union(2).fit(votes).score(votes, np.array([[1, 1], [0, 1], [0, 1]])) == pytest.approx(5 / 9)


@pytest.mark.parametrize(
    ("L", "fact"),
    [
        (np.array([[0, 5]]), "int64 of shape .1, 2.; expected .*from -1 to 1 for 2 classes"),
        (np.array([0, 1]), "shape .2,."),
        (np.array([[0.5, 1.0]]), "float64"),
    ],
)
def test_votes_that_cannot_be(L: np.ndarray, fact: str) -> None:
    with pytest.raises(LabellingError, match=fact):
        MajorityVote(2).fit(L)


def test_what_a_label_model_needs() -> None:
    votes = np.array([[0, 1]], np.int8)
    with pytest.raises(LabellingError, match="weighted_vote learns from gold and there is none; give gold_L"):
        WeightedVote(2).fit(votes)
    with pytest.raises(LabellingError, match="at least 3 labelling functions and L has the votes of 2"):
        SnorkelLabelModel(2).fit(votes)
    with pytest.raises(LabellingError, match=r"classes are an array of shape \(1, 3\); expected \(1, 2\)"):
        WeightedVote(2).fit(votes, votes, np.array([[1, 0, 0]]))
    with pytest.raises(LabellingError, match=r"lr is -1.0: .*greater than 0"):
        SnorkelLabelModel(2, lr=-1.0).fit(np.array([[0, 1, 0]]))
    with pytest.raises(TypeError, match="no parameter n_rounds"):
        SnorkelLabelModel(2, n_rounds=3)


def test_files_that_are_no_label_model(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    with pytest.raises(LabellingError, match=r"other.npz is not the file of a label model"):
        LabelModel.load(tmp_path / "other.npz")
    with pytest.raises(LabellingError, match=r"none.npz is not the file of a label model"):
        LabelModel.load(tmp_path / "none.npz")
