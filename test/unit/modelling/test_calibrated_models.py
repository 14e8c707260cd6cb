"""End models whose probabilities are calibrated: kept with the model, and right on points that nobody has seen."""

from copy import copy
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from adaptml.calibrating import calibrate
from adaptml.calibration import reliability
from adaptml.label_scoring import calibrated
from adaptml.tasks import MULTICLASS, MULTILABEL, ProblemType
from adaptml.tasks.metrics import Outcome, accuracy_of
from modelling.algorithms import EndModel
from modelling.algorithms.registry import get_algorithm
from modelling.choosing import Combined, combine
from modelling.learner import Gold, Learner, Weak
from modelling.trials import Trials
from modelling.ways import Way

NAMES = ["common", "other", "rare"]


@pytest.mark.parametrize("problem", [MULTICLASS, MULTILABEL])
def test_a_calibrator_is_kept_with_the_model(problem: ProblemType, tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    Y = np.eye(3, dtype=np.int8)[X.argmax(axis=1)]
    model = EndModel(problem=problem).fit(X, Y)
    plain = model.predict_proba(X)
    model.calibrator_ = np.array([[0.5, 0.5, 0.5], [0.0, 0.2, 0.4]])
    model.save(tmp_path / "model.skops")
    again = EndModel.load(tmp_path / "model.skops").predict_proba(X)
    np.testing.assert_array_equal(again, model.predict_proba(X))
    np.testing.assert_allclose(again, calibrated(plain, model.calibrator_, exclusive=problem.exclusive))
    assert np.abs(again - plain).max() > 0.05
    assert model.predict_proba(X[:0]).shape == (0, 3)
    np.testing.assert_array_equal(model.fit(X, Y).predict_proba(X), plain)  # it was of the training before


def points(n: int, seed: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
    """Vectors of three classes that overlap, of which one holds 6 %."""
    rng = np.random.default_rng(seed)
    y = rng.choice(3, n, p=[0.6, 0.34, 0.06])
    X = rng.normal(size=(n, 30))
    X[np.arange(n), y] += 1.8
    return X.astype(np.float32), np.eye(3, dtype=np.int8)[y]


def test_of_points_that_an_end_model_gives_a_rare_class_with_0_8_eight_in_ten_have_it() -> None:
    """Trained on 200 points of 30 numbers, a logistic regression believes itself too much."""
    (X, Y), fold = points(200, 0), np.arange(200) % 5
    probs = np.empty(Y.shape)
    for part in range(5):
        inside = fold == part
        probs[inside] = EndModel().fit(X[~inside], Y[~inside]).predict_proba(X[inside])
    found = calibrate(accuracy_of(MULTICLASS), Y, Outcome(probs, MULTICLASS.decide(probs)), fold)
    model = EndModel().fit(X, Y)
    X, Y = points(10_000, 999)  # that nobody has seen
    before = reliability(MULTICLASS, NAMES, Y, model.predict_proba(X))
    model.calibrator_ = found.calibrator
    after = reliability(MULTICLASS, NAMES, Y, model.predict_proba(X))
    assert after.overall.error < before.overall.error / 4
    assert all(after.by_class[name].error < before.by_class[name].error / 2 for name in NAMES)
    bold, sure = before.by_class["rare"].bins[-1], after.by_class["rare"].bins[-1]
    assert (bold.mean > 0.98, bold.share < 0.6) == (True, True)
    assert 0.8 < sure.mean <= sure.share


ACCURACY = accuracy_of(MULTICLASS)


def trained(strategy: str, n: int) -> Combined:
    """On half of n points weakly labelled as they are, and the other half as gold."""
    (X, Y), (gold_X, gold_Y) = points(n, 1), points(n, 0)
    weak = Weak(X, Outcome(Y.astype(np.float64), Y))
    learner = Learner(get_algorithm("logistic_regression"), MULTICLASS)
    return combine(strategy, learner, {"rules": weak}, Gold(gold_X, gold_Y, np.arange(n) % 5), ACCURACY)


@pytest.mark.parametrize("strategy", ["weak", "stacked"])
def test_a_trained_model_is_calibrated_and_judged_as_such(strategy: str) -> None:
    done = trained(strategy, 200)
    assert done.calibration.startswith("calibrated: log loss ")
    model, plain = done.model, copy(done.model)
    plain.calibrator_ = None
    X, Y = points(5_000, 999)
    losses = [MULTICLASS.log_loss(Y, one.predict_proba(X)) for one in (plain, model)]
    assert losses[1] < losses[0]
    assert done.judged is not None
    before = float(done.calibration.split()[3])
    assert MULTICLASS.log_loss(points(200, 0)[1], done.judged.said.probs) < 0.7 * before


def test_of_a_model_that_learned_from_too_little_gold_it_is_said() -> None:
    done = trained("gold", 99)
    assert done.calibration == "not calibrated: 99 gold points are too few; 100 are needed"
    assert done.model.calibrator_ is None


def test_a_model_that_others_stand_on_stays_as_it_is() -> None:
    (X, Y), learner = points(200, 0), Learner(get_algorithm("logistic_regression"), MULTICLASS)
    weak_X, weak_Y = points(200, 1)
    weak = {"rules": Weak(weak_X, Outcome(weak_Y.astype(np.float64), weak_Y))}
    trials = Trials(learner, weak, Gold(X, Y, np.arange(200) % 5), ACCURACY)
    trials.run([Way("weak", "rules")])
    alone = trials.fit(Way("weak", "rules"))
    stacked = trials.fit(Way("stacked", "rules"))
    assert alone.calibrator_ is not None
    assert stacked.base_model is not None
    assert stacked.base_model.calibrator_ is None
