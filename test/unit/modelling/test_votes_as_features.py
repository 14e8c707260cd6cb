"""End models over votes, and those that learned nothing: worked out by hand."""

from pathlib import Path

import numpy as np
import pytest

from adaptml.errors import ModelError
from adaptml.tasks import MULTICLASS, MULTILABEL
from modelling.algorithms import EndModel
from modelling.algorithms.log_odds import vote_log_odds

X = np.zeros((4, 2), np.float32)
P = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.1, 0.9]])


@pytest.mark.parametrize("saved", [False, True])
def test_the_label_model_itself_answers_with_its_own_probabilities(tmp_path: Path, saved: bool) -> None:
    model = again(EndModel.of_votes(MULTICLASS, np.array([0.5, 0.5])), tmp_path, saved)
    assert model.takes_votes
    np.testing.assert_allclose(model.predict_proba(X, vote_log_odds(MULTICLASS, P)), P, atol=1e-6)


@pytest.mark.parametrize("saved", [False, True])
def test_a_class_is_named_above_the_label_models_own_limit(tmp_path: Path, saved: bool) -> None:
    """A limit of 0.8 has odds of 4: a probability of 0.8 becomes 0.5, and one of 0.9, whose odds are 9, 9 / 13."""
    model = again(EndModel.of_votes(MULTILABEL, np.array([0.8, 0.5])), tmp_path, saved)
    probs = model.predict_proba(X[:2], vote_log_odds(MULTILABEL, np.array([[0.8, 0.7], [0.9, 0.2]])))
    np.testing.assert_allclose(probs, [[0.5, 0.7], [9 / 13, 0.2]], atol=1e-6)


@pytest.mark.parametrize("saved", [False, True])
def test_a_constant_model_says_the_shares(tmp_path: Path, saved: bool) -> None:
    model = again(EndModel.constant(MULTICLASS, np.array([0.7, 0.3])), tmp_path, saved)
    assert not model.takes_votes
    assert model.predict_proba(X).tolist() == [[0.7, 0.3]] * 4
    assert model.predict(X[:1]).tolist() == [[1, 0]]


@pytest.mark.parametrize("saved", [False, True])
def test_where_vectors_say_nothing_votes_decide(tmp_path: Path, saved: bool) -> None:
    V, Y = vote_log_odds(MULTICLASS, P), np.eye(2)[[0, 1, 0, 1]]
    trained = EndModel("logistic_regression", vote_scale=2.0).fit(X, Y, V=V)
    model = again(trained, tmp_path, saved)
    assert model.predict(X, V).tolist() == Y.tolist()
    np.testing.assert_array_equal(model.predict_proba(X, V), trained.predict_proba(X, V))
    with pytest.raises(ModelError, match="features include votes and none were given"):
        model.predict_proba(X)


@pytest.mark.parametrize("saved", [False, True])
def test_an_ensemble_reads_votes_where_a_member_does(tmp_path: Path, saved: bool) -> None:
    V, Y = vote_log_odds(MULTICLASS, P), np.eye(2)[[0, 1, 0, 1]]
    members = [EndModel.constant(MULTICLASS, np.array([0.5, 0.5])), EndModel(vote_scale=0.5).fit(X, Y, V=V)]
    members[1].calibrator_ = np.array([[0.8, 0.8], [0.1, -0.1]])
    model = again(EndModel.ensemble(members), tmp_path, saved)
    assert model.takes_votes
    heard = np.clip(
        members[1].predict_proba(X, V), 0.001, 0.999
    )  # beside an even chance, log-odds are halved
    odds = np.sqrt(heard[:, 0] / heard[:, 1])
    np.testing.assert_allclose(model.predict_proba(X, V)[:, 0], odds / (1 + odds))
    with pytest.raises(ModelError, match="features include votes and none were given"):
        model.predict_proba(X)
    assert not EndModel.ensemble(members[:1] * 2).takes_votes


@pytest.mark.parametrize("saved", [False, True])
def test_the_label_model_is_one_voice_of_an_ensemble(tmp_path: Path, saved: bool) -> None:
    """Odds of 9 beside an even chance come to 3; above a limit of 0.8, 0.9 has odds of 9 / 4, and comes to 1.5."""
    even = np.array([0.5, 0.5])
    two = [EndModel.of_votes(MULTICLASS, even), EndModel.constant(MULTICLASS, even)]
    model = again(EndModel.ensemble(two), tmp_path, saved)
    said = model.predict_proba(X[:1], vote_log_odds(MULTICLASS, P[:1]))
    np.testing.assert_allclose(said, [[0.75, 0.25]], atol=1e-6)
    # Of odds of 9 that count for two thirds, 9 ** (2 / 3) are left.
    model = again(EndModel.ensemble(two, np.array([2, 1]) / 3), tmp_path, saved)
    said = model.predict_proba(X[:1], vote_log_odds(MULTICLASS, P[:1]))
    np.testing.assert_allclose(said[0, 0] / said[0, 1], 9 ** (2 / 3), rtol=1e-5)
    many = [EndModel.of_votes(MULTILABEL, np.array([0.8, 0.5])), EndModel.constant(MULTILABEL, even)]
    model = again(EndModel.ensemble(many), tmp_path, saved)
    said = model.predict_proba(X[:1], vote_log_odds(MULTILABEL, P[:1]))
    np.testing.assert_allclose(said, [[0.6, 0.25]], atol=1e-6)  # 0.1 has odds of 1 / 9, which come to 1 / 3


def again(model: EndModel, folder: Path, saved: bool) -> EndModel:
    """The model, or what is read of its file."""
    if not saved:
        return model
    model.save(folder / "model.skops")
    return EndModel.load(folder / "model.skops")
