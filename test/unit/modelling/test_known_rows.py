"""A model that does not look at its rows again answers as scikit-learn does, bit for bit."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from adaptml.tasks import MULTICLASS, MULTILABEL, ProblemType
from modelling.algorithms import EndModel
from modelling.algorithms.log_odds import distributions
from modelling.known_rows import for_known_rows


@pytest.mark.parametrize(("problem", "k"), [(MULTICLASS, 2), (MULTICLASS, 3), (MULTILABEL, 3)])
@pytest.mark.parametrize("n", [1, 2, 33])
def test_the_answers_are_the_same(problem: ProblemType, k: int, n: int) -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 20)).astype(np.float32)
    Y = np.eye(k)[X[:, :k].argmax(axis=1)]
    model = EndModel("logistic_regression", problem).fit(X, Y)
    known = for_known_rows(model)
    assert known is not model
    assert all(type(part) is LogisticRegression for part in model.parts_)
    rows = random.normal(size=(n, 20)).astype(np.float32)
    np.testing.assert_array_equal(known.predict_proba(rows), model.predict_proba(rows))


def test_so_are_those_of_a_stacked_model_and_of_an_ensemble() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(60, 20)).astype(np.float32)
    Y = np.eye(3)[X[:, :3].argmax(axis=1)]
    base = EndModel("logistic_regression").fit(X[:30], Y[:30])
    stacked = EndModel("logistic_regression", base_model=base, scale=0.7).fit(X, Y)
    voted, V = EndModel.of_votes(MULTICLASS, np.full(3, 0.5)), np.log(np.full((60, 3), 1 / 3, np.float32))
    model = EndModel.ensemble([voted, base, stacked])
    known = for_known_rows(model)
    assert all(type(part) is not LogisticRegression for part in known.all_parts)
    assert known.members_[2].base_model is not base
    for n in (1, 2, 33):
        np.testing.assert_array_equal(known.predict_proba(X[:n], V[:n]), model.predict_proba(X[:n], V[:n]))


def test_rows_of_probabilities_are_scaled_as_ever() -> None:
    random = np.random.default_rng(0)
    for probs in (
        random.random((50, 4)),
        np.zeros((2, 3)),
        np.array([[np.nan, 0.5], [2.0, 0.0], [-1.0, 0.5], [np.inf, 0.0]]),
    ):
        sound = np.clip(np.nan_to_num(probs, nan=0.0), 0.0, 1.0)
        sums = sound.sum(axis=1, keepdims=True)
        shares = np.full_like(sound, 1 / sound.shape[1])
        expected = np.divide(sound, sums, out=shares, where=sums > 0)
        np.testing.assert_array_equal(distributions(probs), expected)


def test_other_classifiers_stay_as_they_are() -> None:
    X = np.array([[0.0], [1.0], [0.0], [1.0]], np.float32)
    model = EndModel("knn").fit(X, np.eye(2)[[0, 1, 0, 1]])
    assert for_known_rows(model).parts_ == model.parts_
