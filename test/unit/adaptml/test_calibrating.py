"""Calibrating: small cases by hand, and made-up data whose true probabilities are known."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adaptml.calibrating import calibrate, calibrated_model, fit_calibrator, fit_mixing
from adaptml.calibration import reliability
from adaptml.label_scoring import (
    FittedModel,
    argmax,
    calibrated,
    load_model,
    noisy_or,
    save_model,
    sigmoid,
    softmax,
    thresholds,
)  # fmt: skip
from adaptml.tasks import MULTICLASS, MULTILABEL, ProblemType
from adaptml.tasks.metrics import Metric, Outcome, accuracy_of

Floats = npt.NDArray[np.float64]
Indicator = npt.NDArray[np.int8]
IDENTITY = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])


def said(problem: ProblemType, probs: Floats) -> Outcome:
    return Outcome(probs, problem.decide(probs))


def drawn(problem: ProblemType, n: int, seed: int, prior: Floats) -> tuple[Floats, Indicator]:
    """Probabilities that are right, and the classes of n points that were drawn by them."""
    rng = np.random.default_rng(seed)
    scores = prior + rng.normal(0, 1.5, (n, len(prior)))
    if problem.exclusive:
        right = softmax(scores, np.ones(1))
        chosen = (right.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1)
        return right, np.eye(len(prior), dtype=np.int8)[chosen]
    right = sigmoid(scores, np.full(1, 0.5))
    return right, (rng.random(right.shape) < right).astype(np.int8)


def test_scale_1_and_shift_0_change_nothing() -> None:
    probs = np.array([[0.7, 0.2, 0.1], [0.999, 0.0009, 0.0001]])
    for exclusive in (True, False):
        np.testing.assert_allclose(calibrated(probs, IDENTITY, exclusive=exclusive), probs, rtol=1e-9)


def test_evidence_is_scaled_and_shifted_by_hand() -> None:
    probs = np.array([[0.8, 0.2]])
    half = np.array([[0.5, 0.5], [0.0, 0.0]])  # the root of 4 to 1 is 2 to 1, of probabilities and of odds
    np.testing.assert_allclose(calibrated(probs, half, exclusive=True), [[2 / 3, 1 / 3]])
    np.testing.assert_allclose(calibrated(probs, half, exclusive=False), [[2 / 3, 1 / 3]])
    shifted = np.array([[0.5, 0.5], [0.0, np.log(2)]])
    np.testing.assert_allclose(calibrated(probs, shifted, exclusive=True), [[1 / 2, 1 / 2]])
    np.testing.assert_allclose(calibrated(probs, shifted, exclusive=False), [[2 / 3, 1 / 2]])


def test_evidence_of_one_class_counts_for_another_by_hand() -> None:
    """Half of what speaks for the second class is taken for the first, whose odds against the third are left."""
    probs = np.array([[0.1, 0.8, 0.1]])
    mixing = np.array([[1.0, 0.5, -0.5], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, np.log(2)]])
    # log-odds of the first: log 0.1 + 0.5 log(0.8 / 0.1), so 0.1 × √8; of the third log 0.1 + log 2
    expected = np.array([0.1 * 8**0.5, 0.8, 0.2])
    found = calibrated(probs, mixing, exclusive=True)
    np.testing.assert_allclose(found, [expected / expected.sum()])
    same = np.vstack([np.eye(3), np.zeros(3)])
    np.testing.assert_allclose(calibrated(probs, same, exclusive=True), probs, rtol=1e-9)


def mistaken(n: int, seed: int) -> tuple[Floats, Indicator]:
    """Of what is called the second class, six in ten are of the first; the third is always right."""
    rng = np.random.default_rng(seed)
    said_of, is_first = rng.integers(0, 3, n), rng.random(n) < 0.6
    truth = np.where((said_of == 1) & is_first, 0, said_of)
    return np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])[said_of], np.eye(3, dtype=np.int8)[
        truth
    ]


def test_a_class_that_is_taken_for_another_is_put_right() -> None:
    """Scales and shifts cannot: the first class would be named too often where it is not mistaken."""
    probs, Y = mistaken(600, 0)
    fold, metric = np.arange(600) % 5, accuracy_of(MULTICLASS)
    found = calibrate(metric, Y, said(MULTICLASS, probs), fold)
    assert found.reason.startswith("calibrated across classes: log loss 0.")
    assert found.calibrator is not None
    assert found.calibrator.shape == (4, 3)
    np.testing.assert_allclose(found.calibrator[:3].sum(axis=1), found.calibrator[:3].sum(axis=1)[0])
    unseen, truth = mistaken(5_000, 1)
    after = calibrated(unseen, found.calibrator, exclusive=True)
    second = unseen[:, 1] > 0.5
    assert after[second].mean(axis=0) == pytest.approx([0.6, 0.4, 0.0], abs=0.06)
    assert metric.value(truth, said(MULTICLASS, after)) == pytest.approx(13 / 15, abs=0.02)
    assert metric.value(truth, said(MULTICLASS, unseen)) == pytest.approx(12 / 15, abs=0.02)


def test_few_points_change_little_across_classes_and_a_rare_class_gets_nothing() -> None:
    right, Y = drawn(MULTICLASS, 300, 0, np.log([0.6, 0.37, 0.001]))
    assert Y[:, 2].sum() < 10
    found = fit_mixing(Y, right, np.array([True, True, False]))
    assert found[2].tolist() == [0, 0, found[2, 2]]
    assert found[3, 2] == 0
    few = fit_mixing(np.eye(3, dtype=np.int8)[[0, 1, 2] * 2], np.full((6, 3), 1 / 3), np.full(3, True))
    np.testing.assert_allclose(few, np.vstack([np.eye(3), np.zeros(3)]), atol=1e-6)


@pytest.mark.parametrize("problem", [MULTICLASS, MULTILABEL])
def test_a_known_distortion_is_found(problem: ProblemType) -> None:
    prior = np.log([0.6, 0.3, 0.1])
    right, Y = drawn(problem, 20_000, 0, prior)
    scale, shift = 2.0, np.array([0.5, 0.0, -0.5])
    bold = calibrated(right, np.stack([np.full(3, scale), shift]), exclusive=problem.exclusive)
    found = fit_calibrator(problem, Y, bold)
    np.testing.assert_allclose(found[0], 1 / scale, atol=0.05)
    np.testing.assert_allclose(found[1] - found[1].mean(), -shift / scale, atol=0.1)


def test_few_points_change_little() -> None:
    """Ten points that are all right at 0.6 would make any scale and shift better without the prior."""
    probs, Y = np.tile([0.6, 0.4], (10, 1)), np.tile(np.array([1, 0], dtype=np.int8), (10, 1))
    for problem in (MULTICLASS, MULTILABEL):
        found = fit_calibrator(problem, Y, probs, np.array([True, True]))
        moved = calibrated(probs[:1], found, exclusive=problem.exclusive)
        assert 0.6 < moved[0, 0] < 0.95
        assert (np.abs(found[0] - 1) < 1).all()
        assert (np.abs(found[1]) < 2.5).all()


def test_a_class_of_few_points_is_not_shifted() -> None:
    right, Y = drawn(MULTICLASS, 300, 0, np.log([0.6, 0.37, 0.001]))
    assert Y[:, 2].sum() < 10
    assert fit_calibrator(MULTICLASS, Y, right)[1, 2] == 0
    right, Y = drawn(MULTILABEL, 300, 0, np.log([1, 1, 1e-4]))
    assert Y[:, 2].sum() < 10
    assert fit_calibrator(MULTILABEL, Y, right)[:, 2].tolist() == [1, 0]


def test_what_is_said_of_a_fold_does_not_depend_on_its_gold() -> None:
    right, Y = drawn(MULTICLASS, 500, 1, np.log([0.6, 0.3, 0.1]))
    bold = calibrated(right, 2.5 * IDENTITY, exclusive=True)
    fold = np.arange(500) % 5
    first = calibrate(accuracy_of(MULTICLASS), Y, said(MULTICLASS, bold), fold)
    assert first.reason.startswith("calibrated: log loss 0.")
    other = Y.copy()
    other[fold == 2] = other[fold == 2][:, [1, 2, 0]]
    second = calibrate(accuracy_of(MULTICLASS), other, said(MULTICLASS, bold), fold)
    np.testing.assert_array_equal(first.said.probs[fold == 2], second.said.probs[fold == 2])
    assert not np.array_equal(first.said.probs[fold == 1], second.said.probs[fold == 1])
    for part, made in first.by_fold.items():
        assert made is not None
        there = calibrated(bold[fold == part], made, exclusive=True)
        np.testing.assert_array_equal(first.said.probs[fold == part], there)


def test_what_cannot_be_better_stays_and_it_is_said_why() -> None:
    right, Y = drawn(MULTICLASS, 400, 3, np.log([0.6, 0.3, 0.1]))
    fold, before = np.arange(400) % 5, said(MULTICLASS, right)
    kept = calibrate(accuracy_of(MULTICLASS), Y, before, fold)
    assert kept.reason.startswith("not calibrated: it would not be better (log loss ")
    assert kept.calibrator is None
    assert kept.said is before
    few = calibrate(accuracy_of(MULTICLASS), Y[:99], said(MULTICLASS, right[:99]), fold[:99])
    assert few.reason == "not calibrated: 99 gold points are too few; 100 are needed"
    none = calibrate(accuracy_of(MULTILABEL), 0 * Y, said(MULTILABEL, right), fold)
    assert none.reason == "not calibrated: no class has 10 gold points and as many without it"


def test_a_better_log_loss_does_not_pay_for_a_worse_metric() -> None:
    """Of 100 points that are given a rare class with 0.6, 40 have it: with 0.4 it would never be named."""
    is_rare = np.concatenate([np.arange(100) % 5 < 2, np.zeros(300, bool)]).astype(np.int8)
    Y, high = np.stack([1 - is_rare, is_rare], axis=1), np.repeat([0.6, 0.02], [100, 300])
    probs, fold = np.stack([1 - high, high], axis=1), np.arange(400) // 5 % 5
    found = calibrate(Metric("macro_f1", MULTICLASS), Y, said(MULTICLASS, probs), fold)
    assert found.reason.startswith("not calibrated: macro F1 would be worse (log loss ")
    found = calibrate(Metric("macro_f1", MULTICLASS), Y, said(MULTICLASS, probs), fold, renames=False)
    assert found.reason.startswith("calibrated: ")


# Of a rule: the share of common points, and of rare ones, that it votes on, and the class that it votes for.
RULES = ((0.04, 0.7, 1), (0.05, 0.5, 1), (0.6, 0.35, 0))


def doubled(n: int, seed: int) -> tuple[npt.NDArray[np.int8], Indicator]:
    """Votes of three rules and a copy of each, on points of which 8 % are of the second class."""
    rng = np.random.default_rng(seed)
    rare = rng.random(n) < 0.08
    votes = [np.where(rng.random(n) < np.where(rare, b, a), c, -1) for a, b, c in RULES]
    return np.stack([*votes, *votes], axis=1).astype(np.int8), np.stack([~rare, rare], axis=1).astype(np.int8)


def naive_bayes() -> FittedModel:
    """What follows from the true shares, where the copies are taken for rules of their own."""
    table = np.zeros((6, 3, 2))
    for j, (a, b, c) in enumerate((*RULES, *RULES)):
        table[j, 0], table[j, 1 + c] = np.log1p([-a, -b]), np.log([a, b])
    return FittedModel("naive", softmax, argmax, np.array([0.92, 0.08]), table, np.zeros(2), np.ones(6))


def test_of_points_that_a_label_model_gives_a_rare_class_with_0_9_nine_in_ten_are_right() -> None:
    L, Y = doubled(1_000, 0)
    model, has_votes = naive_bayes(), (L >= 0).any(axis=1)
    known, fold = said(MULTICLASS, model.predict_proba(L[has_votes])), np.arange(has_votes.sum()) % 5
    found = calibrate(Metric("macro_f1", MULTICLASS), Y[has_votes], known, fold)
    assert found.calibrator is not None
    after = calibrated_model(model, found.calibrator)
    L, Y = doubled(40_000, 1)  # points that nobody has seen
    covered = (L >= 0).any(axis=1)
    before, now = (
        reliability(MULTICLASS, ["common", "rare"], Y[covered], one.predict_proba(L[covered])).by_class[
            "rare"
        ]
        for one in (model, after)
    )
    assert (before.error > 0.03, now.error < 0.01) == (True, True)
    for one in now.bins:  # each bin holds one or two patterns of votes
        assert one.mean == pytest.approx(one.share, abs=0.08)
    sure = now.bins[-1]
    assert sure.n > 500
    assert sure.share == pytest.approx(sure.mean, abs=0.03)
    assert before.bins[-1].mean - before.bins[-1].share > 0.15
    unseen = after.predict_proba(L[~covered])  # a point without votes keeps the class balance
    np.testing.assert_array_equal(unseen, np.tile(model.balance, (len(unseen), 1)))


NAMED = FittedModel(
    "union", noisy_or, thresholds, np.array([0.1, 0.4]), np.zeros((1, 3, 2)), np.array([0.5, 0.3]), np.ones(1)
)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=20),
    st.tuples(st.floats(0.05, 5), st.floats(0.05, 5), st.floats(-1, 4), st.floats(-1, 0.3)),
)
def test_thresholds_move_along(rows: list[tuple[float, float]], numbers: tuple[float, ...]) -> None:
    """What is named stays, but for ties of one threshold with others within a rounding error."""
    probs, calibrator = np.array(rows), np.array(numbers).reshape(2, 2)
    model = calibrated_model(NAMED, calibrator)
    moved = calibrated(probs, calibrator, exclusive=False)
    near = np.abs(moved - model.thresholds) < 1e-9
    same = NAMED.decide(probs) == model.decide(moved)
    between = (moved - model.thresholds) * (probs - NAMED.thresholds) <= 0
    clipped = (model.thresholds == NAMED.balance) | (model.thresholds == np.nextafter(NAMED.balance, 0))
    assert (same | near | (between & clipped)).all()
    assert (
        model.decide(NAMED.balance[None]).tolist() == NAMED.decide(NAMED.balance[None]).tolist() == [[0, 1]]
    )


def test_a_calibrated_model_is_kept_whole_and_an_earlier_file_has_no_calibrator(tmp_path: Path) -> None:
    calibrator = np.array([[0.5, 0.5], [0.0, 1.0]])
    model, path = replace(naive_bayes(), calibrator=calibrator), tmp_path / "m.npz"
    L = doubled(50, 2)[0]
    save_model(model, ["common", "rare"], list("abcdef"), path)
    np.testing.assert_array_equal(load_model(path)[0].predict_proba(L), model.predict_proba(L))
    assert not np.array_equal(model.predict_proba(L), naive_bayes().predict_proba(L))
    with np.load(path) as file:
        before = {name: values for name, values in file.items() if name != "calibrator"}
    np.savez(path, **before)
    np.testing.assert_array_equal(load_model(path)[0].predict_proba(L), naive_bayes().predict_proba(L))
    assert json.loads(str(before["params"])) == {}
