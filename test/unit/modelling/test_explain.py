"""Why a model answers as it does: sums that must be its log-odds, and neighbours worked out by hand."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import adaptml
from adaptml.errors import MissingDataPointsError, ModelError
from adaptml.features.catalogue import Reference
from adaptml.project import Project
from adaptml.tasks import MULTICLASS, MULTILABEL
from modelling.algorithms import EndModel
from modelling.explain import explain
from modelling.reading_one import Block, OnePoint
from modelling.train import train
from modelling.word_weights import Added, LinearScore, linear_score, word_weights

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4)).astype(np.float32)
THREE = np.eye(3, dtype=np.int8)[X[:, :3].argmax(axis=1)]
TWO = THREE[:, :2] | (1 - THREE[:, :2]) * np.array([[0, 1]], dtype=np.int8) * THREE[:, 2:]
MANY = (X[:, :2] > 0).astype(np.int8)


def share(score: LinearScore, row: np.ndarray) -> float:
    """What log-odds are as a probability."""
    return float(1 / (1 + np.exp(-(score.weights @ row + score.constant))))


CALIBRATORS = (None, np.array([[0.4, 0.4, 0.4], [0.3, -0.2, 1.0]]))


def fitted(algorithm: str, Y: np.ndarray, calibrator: np.ndarray | None, **settings: Any) -> EndModel:
    model = EndModel(algorithm, **settings).fit(X, Y)
    model.calibrator_ = None if calibrator is None else calibrator[:, : Y.shape[1]]
    return model


@pytest.mark.parametrize("calibrator", CALIBRATORS, ids=["plain", "calibrated"])
@pytest.mark.parametrize("algorithm", ["logistic_regression", "linear_svm"])
def test_a_linear_score_is_the_log_odds_of_the_probabilities(
    algorithm: str, calibrator: np.ndarray | None
) -> None:
    two = fitted(algorithm, TWO, calibrator)
    for row, probs in zip(X[:5], two.predict_proba(X[:5]), strict=True):
        for c in (0, 1):
            score = linear_score(two, c, probs, row)
            assert score is not None
            assert (score.against, score.exact) == (1 - c, True)
            # A probability of float32 near 1 is rounded, and calibrating brings it back into sight.
            assert share(score, row) == pytest.approx(probs[c], abs=1e-3)
    many = fitted(algorithm, MANY, calibrator, problem=MULTILABEL)
    for row, probs in zip(X[:5], many.predict_proba(X[:5]), strict=True):
        score = linear_score(many, 1, probs, row)
        assert score is not None
        assert score.against is None
        assert share(score, row) == pytest.approx(probs[1], abs=1e-4)


# Rows of equal sums, as `adaptml.calibrating.fit_mixing` makes them.
MIXING = np.array([[0.4, 0.2, -0.2], [0.1, 0.5, -0.2], [0.0, 0.0, 0.4], [0.3, -0.2, 0.0]])


@pytest.mark.parametrize("calibrator", [*CALIBRATORS, MIXING], ids=["plain", "calibrated", "across"])
def test_of_three_classes_the_next_probable_one_is_weighed_against(calibrator: np.ndarray | None) -> None:
    model = fitted("logistic_regression", THREE, calibrator)
    row, probs = X[0], model.predict_proba(X[:1])[0]
    first, second, _ = np.argsort(-probs).tolist()
    score = linear_score(model, first, probs, row)
    assert score is not None
    assert score.against == second
    assert share(score, row) == pytest.approx(probs[first] / (probs[first] + probs[second]), abs=1e-4)
    svm = linear_score(EndModel("linear_svm").fit(X, THREE), first, probs, row)
    assert svm is not None
    assert not svm.exact  # its classes are scaled to sum to 1 afterwards


@pytest.mark.parametrize("Y", [TWO, THREE, MANY], ids=["two", "three", "several"])
def test_what_is_stacked_and_an_ensemble_are_sums_too(Y: np.ndarray) -> None:
    problem = MULTILABEL if Y is MANY else MULTICLASS
    k = Y.shape[1]
    V = np.log(np.where(Y == 1, 0.6, 0.2)).astype(np.float32)
    base = EndModel(problem=problem).fit(X, np.roll(Y, 1, axis=0))
    stacked = EndModel(problem=problem, base_model=base, scale=0.7).fit(X, Y)
    stacked.calibrator_ = np.vstack([np.full(k, 0.8), np.arange(k) / 10])
    heard = EndModel(problem=problem, base_model=base, scale=0.7, vote_scale=0.5).fit(X, Y, V=V)
    plain = EndModel(problem=problem).fit(X, Y)
    voted = EndModel.of_votes(problem, np.full(k, 0.3 if Y is MANY else 0.5))
    for model in (
        stacked,
        heard,
        EndModel.ensemble([plain, stacked]),
        EndModel.ensemble([plain, stacked, heard]),
        EndModel.ensemble([voted, plain]),
        EndModel.ensemble([voted, plain, stacked, heard], np.array([0.1, 0.2, 0.3, 0.4])),
    ):
        votes = V[:1] if model.takes_votes else None
        row = np.hstack([X[0], V[0]] if model.takes_votes else [X[0]]).astype(np.float64)
        probs = model.predict_proba(X[:1], votes)[0]
        for c in range(k):
            score = linear_score(model, c, probs, row)
            assert score is not None
            other = 1 - probs[c] if score.against is None else probs[score.against]
            assert score.weights @ row + score.constant == pytest.approx(np.log(probs[c] / other), abs=1e-4)
    # One that is very sure is heard as less so: the rest of the answer makes up for it.
    sure = EndModel(problem=problem).fit(X, Y)
    for part in sure.parts_:
        part.coef_ *= 50
    both = EndModel.ensemble([plain, sure])
    probs = both.predict_proba(X[:1])[0]
    score = linear_score(both, 0, probs, X[0].astype(np.float64))
    assert score is not None
    assert score.of_row
    other = 1 - probs[0] if score.against is None else probs[score.against]
    assert score.weights @ X[0] + score.constant == pytest.approx(np.log(probs[0] / other), abs=1e-4)
    # A word counts as it does for each: by the weights of the one, and by what the other hears of the base.
    score = linear_score(stacked, 0, np.ones(k) / k, X[0].astype(np.float64))
    assert score is not None
    assert score.of_row


def test_no_sum_is_told_where_there_is_none() -> None:
    probs = np.array([0.5, 0.5])
    for algorithm in ("knn", "mlp", "hist_gradient_boosting"):
        assert linear_score(EndModel(algorithm).fit(X, TWO), 0, probs, X[0]) is None
    base = EndModel("knn").fit(X, TWO)
    assert linear_score(EndModel(base_model=base).fit(X, TWO), 0, probs, X[0]) is None
    same = MANY.copy()
    same[:, 1] = 1
    assert linear_score(EndModel(problem=MULTILABEL).fit(X, same), 1, probs, X[0]) is None
    absent = np.hstack([TWO, np.zeros((len(TWO), 1), np.int8)])
    assert linear_score(EndModel(problem=MULTICLASS).fit(X, absent), 2, probs, X[0]) is None


@pytest.mark.parametrize(
    ("encoder", "n", "named"),
    [("hashing", 4101, ["form"]), ("hybrid", 4869, ["form and meaning"]), ("hashing", 4096, [])],
    ids=["hashing", "hybrid", "hashing of before"],
)
def test_what_is_no_word_s_is_a_line_of_its_own(encoder: str, n: int, named: list[str]) -> None:
    numbers = np.zeros(n, dtype=np.float32)
    numbers[4096:] = 0.5
    block = Block(Reference("vec", 1), numbers, encoder, "txt", "cat")
    found = word_weights(LinearScore(np.full(n, 2.0), 0.25, None), OnePoint((block,)))
    assert found is not None
    assert found.words == [Added("cat", 0.0)]
    assert found.others[1:] == [Added(f"vec@1: {name}", float(n - 4096)) for name in named]
    assert found.total == n - 4096 + 0.25


@pytest.fixture
def example(empty_store: Path, tmp_path: Path) -> Iterator[Project]:
    with adaptml.example_project(tmp_path / "example") as made:
        shutil.copy(empty_store, made.settings.home / "mlflow.db")
        yield made


def test_words_and_neighbours_of_a_text_and_of_a_point(example: Project) -> None:
    labelled = example.label("spam", "comments", gold="task", label_model="majority_vote")
    train(example, "spam", labelled, gold="task", strategy="union")
    found = explain(example, "spam", {"text": "Subscribe to my channel"})
    assert (found.labels, found.of_class, found.against, found.version) == (["spam"], "spam", "ham", "1")
    assert found.weights is not None
    assert found.weights.column == "text"
    assert [word.name for word in found.weights.words] == ["subscribe", "to", "my", "channel"]
    assert max(found.weights.words, key=lambda word: word.value).name == "subscribe"
    odds = np.log(found.probs[1] / found.probs[0])
    assert found.weights.total == pytest.approx(odds, rel=1e-3)
    assert sum(one.value for one in (*found.weights.words, *found.weights.others)) == pytest.approx(
        odds, rel=1e-3
    )
    assert found.nearest is not None
    nearest = found.nearest.neighbours[0]
    assert (nearest.id, nearest.labels, nearest.origin) == ("s0", ("spam",), "label model")
    assert found.nearest.n == found.nearest.of == 24 - 1  # one comment has no vote
    of_point = explain(example, "spam", ("comments", "s8"), neighbours=1)
    assert of_point.nearest is not None
    itself = of_point.nearest.neighbours[0]
    assert (itself.id, itself.origin, round(itself.distance, 6)) == ("s8", "gold", 0)
    assert of_point.weights is not None
    assert of_point.weights.words[0].name == "free"
    train(example, "spam", labelled, algorithm="knn", params={"metric": "manhattan"})
    other = explain(example, "spam", ("comments", "s8"), "2")
    assert other.weights is None
    assert other.why_no_weights == (
        "No weights of words for knn: only of linear models is the answer a sum over words."
    )
    assert other.nearest is not None
    assert other.nearest.measure == "manhattan"
    assert "s8" in repr(other.lines())
    assert not of_point.weights.has_rest
    train(example, "spam", labelled, gold="task", strategy="stacked")
    stacked = explain(example, "spam", {"text": "Subscribe to my channel"}, "3")
    assert stacked.weights is not None
    assert stacked.weights.has_rest
    assert stacked.weights.others[0].name == "the rest of the answer, in which no word has a part"
    odds = np.log(stacked.probs[1] / max(stacked.probs[0], 1e-12))  # which float32 may round to 0
    assert stacked.weights.total == pytest.approx(odds, rel=1e-3)
    with pytest.raises(ModelError, match="no text for text; the model reads text"):
        explain(example, "spam", {"text": " "})
    with pytest.raises(MissingDataPointsError):
        explain(example, "spam", ("comments", "nobody"))
    labelled_run = Path(labelled.artifact_uri.removeprefix("file://"))
    shutil.rmtree(labelled_run)
    gone = explain(example, "spam", {"text": "a"})
    assert gone.nearest is None
    assert gone.why_no_nearest.startswith("The training points cannot be looked at: run ")
