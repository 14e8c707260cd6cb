"""Calibrating probabilities on gold: evidence is scaled and shifted until what is said is true as often.

    multiclass   p' = softmax(scale · log p + shift), one scale for all classes and a shift for each:
                 temperature scaling with a bias (Guo et al. 2017, https://arxiv.org/abs/1706.04599;
                 Alexandari et al. 2020, https://arxiv.org/abs/1901.06852)
                 p' = softmax(scale · log p + W · c + shift), c = log p less its mean over the classes: where
                 one class is taken for another again and again, as rules do, evidence of the one counts
                 for the other too. Of three classes or more (Dirichlet calibration, Kull et al. 2019,
                 https://arxiv.org/abs/1910.12656; centred, so that log-odds stay linear in log-odds)
    multilabel   p' = sigmoid(scale · log-odds of p + shift), both for each class (Platt 1999)

Scales near 1 and all else near 0 are preferred by normal priors, so that few points change little. A class of
few gold points gets no shift and no row of W. `adaptml.label_scoring.calibrated` says what a calibrator is as
an array, and applies it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from adaptml.label_scoring import (
    LEAST,
    FittedModel,
    argmax,
    calibrated,
    evidence,
    thresholds,
    thresholds_or_best,
)
from adaptml.tasks import ProblemType
from adaptml.tasks.metrics import Metric, Outcome, best

MIN_POINTS = 100  # gold points; with fewer, nothing is calibrated
MIN_OF_CLASS = 10  # gold points with the class, and, in multilabel, without it
SCALE_SPREAD, SHIFT_SPREAD = 0.5, 1.0  # of the normal priors around 1 and 0; of W, that of the scale
PLAIN, ACROSS = "calibrated", "calibrated across classes"  # how the two ways in multiclass are called
LEAST_SCALE = 0.05  # never 0 or less: more evidence stays more probable

Floats = npt.NDArray[np.float64]
Indicator = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]
Folds = npt.NDArray[np.int64]
Fit = Callable[[Indicator, Floats, Mask], Floats]  # Y, probabilities, classes to be shifted → a calibrator


@dataclass(frozen=True, eq=False)
class Calibrated:
    """Whether probabilities are calibrated, and what is then said of gold points.

    Attributes:
        calibrator: float64 (2, k) or (k + 1, k), fitted on all gold; None where probabilities stay as they
            are.
        by_fold: fold → the same, fitted and chosen without the gold of the fold.
        said: of each gold point, with the calibrator of its fold.
        reason: one sentence: why, for people.
    """

    calibrator: Floats | None
    by_fold: Mapping[int, Floats | None]
    said: Outcome
    reason: str


def calibrate(
    metric: Metric,
    Y: Indicator,
    said: Outcome,
    fold: Folds,
    *,
    renames: bool = True,
    points: str = "gold points",
) -> Calibrated:
    """Calibrate where that is better on gold that had no say in it, in the way that is best there.

    That is: where the log loss is lower out of fold, and the metric not lower beyond its paired interval.

    Args:
        metric: what models of the task are compared by.
        Y: classes of g gold points, int8 (g, k).
        said: of these points, by models that had not seen them.
        fold: of each point, int64 (g,).
        renames: whether the classes that are named follow from the new probabilities; else they stay, as
            where thresholds move along.
        points: what the points are, for people.
    """
    problem, parts = metric.problem, np.unique(fold).tolist()
    shifted = _shifted(problem, Y)
    if len(Y) < MIN_POINTS or not shifted.any() or len(parts) < 2:
        return Calibrated(None, dict.fromkeys(parts), said, f"not calibrated: {_too_few(problem, Y, points)}")
    fits = {
        kind: {part: fit(Y[fold != part], said.probs[fold != part], shifted) for part in parts}
        for kind, fit in _kinds(problem, len(shifted)).items()
    }
    others = {kind: _calibrated(problem, said, fold, by, renames=renames) for kind, by in fits.items()}
    chosen = _best(metric, Y, said, others)
    losses = {kind: problem.log_loss(Y, one.probs) for kind, one in others.items()}
    shown, before = chosen or PLAIN, problem.log_loss(Y, said.probs)
    told = f"log loss {before:.3f} → {losses[shown]:.3f} out of fold, on {len(Y):,} {points}"
    if chosen is None:
        why = f"{metric.title} would be worse" if losses[shown] < before else "it would not be better"
        return Calibrated(None, dict.fromkeys(parts), said, f"not calibrated: {why} ({told})")
    by_fold: dict[int, Floats | None] = {}
    for part in parts:
        rows = np.flatnonzero(fold != part)
        kind = _best(metric, Y[rows], said.rows(rows), {kind: one.rows(rows) for kind, one in others.items()})
        by_fold[part] = None if kind is None else fits[kind][part]
    left = int((~shifted).sum())
    kept = f"; gold is too little to shift {left} of {len(shifted)} classes" if left else ""
    calibrator = _kinds(problem, len(shifted))[chosen](Y, said.probs, shifted)
    nested = _calibrated(problem, said, fold, by_fold, renames=renames)
    return Calibrated(calibrator, by_fold, nested, f"{chosen}: {told}{kept}")


def _kinds(problem: ProblemType, k: int) -> dict[str, Fit]:
    """What a calibration can be, the simplest first: how it is said → how it is fitted."""
    kinds: dict[str, Fit] = {PLAIN: partial(fit_calibrator, problem)}
    if problem.exclusive and k > 2:
        kinds[ACROSS] = fit_mixing
    return kinds


def _best(metric: Metric, Y: Indicator, said: Outcome, others: Mapping[str, Outcome]) -> str | None:
    """The best of calibrated probabilities; None where they are not better than what was said."""
    least = metric.problem.log_loss(Y, said.probs)
    better = {kind: one for kind, one in others.items() if metric.problem.log_loss(Y, one.probs) < least}
    # Its many numbers fit chance too: it has to be better than what is simpler beyond chance.
    if ACROSS in better and not _is_better(Y, better[ACROSS].probs, better.get(PLAIN, said).probs):
        del better[ACROSS]
    found = best(metric, Y, {"": said, **better}).name if better else ""
    return found or None


def _is_better(Y: Indicator, probs: Floats, than: Floats) -> bool:
    """Whether the log loss of probabilities (g, k) is lower than of others by more than its 95 % interval."""
    gained = (np.log(np.maximum(probs, LEAST)) - np.log(np.maximum(than, LEAST)))[Y == 1]
    return bool(gained.mean() > 1.96 * gained.std() / np.sqrt(len(gained)))


def _calibrated(
    problem: ProblemType,
    said: Outcome,
    fold: Folds,
    by_fold: Mapping[int, Floats | None],
    *,
    renames: bool,
) -> Outcome:
    """What is said of points whose probabilities are calibrated fold by fold."""
    probs, predicted = said.probs.copy(), said.predicted.copy()
    for part, made in by_fold.items():
        if made is not None:
            inside = fold == part
            probs[inside] = calibrated(said.probs[inside], made, exclusive=problem.exclusive)
            if renames:
                predicted[inside] = problem.decide(probs[inside])
    return Outcome(probs, predicted)


def fit_calibrator(problem: ProblemType, Y: Indicator, probs: Floats, shifted: Mask | None = None) -> Floats:
    """The scale and the shift of each class that make probabilities fit gold best: float64 (2, k).

    Args:
        problem: one class a point, or any number.
        Y: classes of g gold points, int8 (g, k), values in {0, 1}.
        probs: what was said of them by something that had not seen them, float64 (g, k), in [0, 1].
        shifted: bool (k,), the classes that may be shifted; None: those of at least MIN_OF_CLASS points.
    """
    shifted = _shifted(problem, Y) if shifted is None else shifted
    X = evidence(probs, exclusive=problem.exclusive)
    if problem.exclusive:
        return _fit_softmax(X, Y, shifted)
    fitted = [_fit_sigmoid(X[:, c], Y[:, c]) if shifted[c] else (1.0, 0.0) for c in range(Y.shape[1])]
    return np.array(fitted, np.float64).reshape(-1, 2).T


def fit_mixing(Y: Indicator, probs: Floats, shifted: Mask) -> Floats:
    """How much the evidence of each class counts for each, and the shifts: float64 (k + 1, k).

    Row c of the first k holds what counts for class c; each sums to the scale, as W · 1 = 0.

    Args:
        Y: classes of g gold points, int8 (g, k), one 1 a row.
        probs: what was said of them by something that had not seen them, float64 (g, k), in [0, 1].
        shifted: bool (k,), the classes that get a shift and a row of W.
    """
    k, rows = Y.shape[1], np.flatnonzero(shifted)
    X = evidence(probs, exclusive=True)
    centred = X - X.mean(axis=1, keepdims=True)

    def loss(theta: Floats) -> tuple[float, Floats]:
        W, shift = theta[1 : 1 + len(rows) * k].reshape(len(rows), k), theta[1 + len(rows) * k :]
        scores = theta[0] * X
        scores[:, rows] += centred @ W.T + shift
        value, over = _softmax_loss(scores, Y)
        slope = over[:, rows]
        return value, np.concatenate([[(over * X).sum()], (slope.T @ centred).ravel(), slope.sum(axis=0)])

    theta = _least(loss, np.repeat([SCALE_SPREAD, SHIFT_SPREAD], [len(rows) * k, len(rows)]))
    W = theta[1 : 1 + len(rows) * k].reshape(len(rows), k)
    fitted = np.zeros((k + 1, k))
    fitted[:k] = theta[0] * np.eye(k)
    fitted[rows] += W - W.mean(axis=1, keepdims=True)
    fitted[k, rows] = theta[1 + len(rows) * k :]
    return fitted


def can_calibrate(model: FittedModel) -> bool:
    """Whether the labels of a label model still mean the same once its probabilities are calibrated."""
    return model.decision in (argmax, thresholds, thresholds_or_best)


def calibrated_model(model: FittedModel, calibrator: Floats) -> FittedModel:
    """A label model whose probabilities are calibrated where there are votes.

    Its thresholds move along, so that it names what it named: a point without votes keeps the class balance,
    and stays on its side of each.
    """
    if model.decision is argmax:
        return replace(model, calibrator=calibrator)
    limits = calibrated(model.thresholds[None], calibrator, exclusive=False)[0]
    below = np.nextafter(model.balance, 0)
    limits = np.where(
        model.thresholds < model.balance, np.minimum(limits, below), np.maximum(limits, model.balance)
    )
    return replace(model, calibrator=calibrator, thresholds=limits)


def _shifted(problem: ProblemType, Y: Indicator) -> Mask:
    """Which classes gold says enough of, bool (k,)."""
    counts = Y.sum(axis=0, dtype=np.int64)
    enough: Mask = counts >= MIN_OF_CLASS
    if not problem.exclusive:
        enough &= len(Y) - counts >= MIN_OF_CLASS
    return enough


def _too_few(problem: ProblemType, Y: Indicator, points: str) -> str:
    if len(Y) < MIN_POINTS:
        return f"{len(Y):,} {points} are too few; {MIN_POINTS} are needed"
    without = "" if problem.exclusive else " and as many without it"
    return f"no class has {MIN_OF_CLASS} {points}{without}"


def _fit_softmax(X: Floats, Y: Indicator, shifted: Mask) -> Floats:
    """One scale, and a shift of each class that may be shifted."""

    def loss(theta: Floats) -> tuple[float, Floats]:
        shift = np.zeros(Y.shape[1])
        shift[shifted] = theta[1:]
        value, over = _softmax_loss(theta[0] * X + shift, Y)
        return value, np.concatenate([[(over * X).sum()], over.sum(axis=0)[shifted]])

    theta = _least(loss, np.full(shifted.sum(), SHIFT_SPREAD))
    fitted = np.zeros((2, Y.shape[1]))
    fitted[0], fitted[1, shifted] = theta[0], theta[1:]
    return fitted


def _softmax_loss(scores: Floats, Y: Indicator) -> tuple[float, Floats]:
    """The sum of -log of the probability of the truth, and its slope by the scores (g, k)."""
    scores = scores - scores.max(axis=1, keepdims=True)
    powers = np.exp(scores)
    sums = powers.sum(axis=1, keepdims=True)
    return float(np.log(sums).sum() - scores[Y == 1].sum()), powers / sums - Y


def _fit_sigmoid(x: Floats, y: Indicator) -> Floats:
    """Scale and shift of one class's log-odds (g,)."""

    def loss(theta: Floats) -> tuple[float, Floats]:
        scores = theta[0] * x + theta[1]
        over = 0.5 * (1.0 + np.tanh(0.5 * scores)) - y
        value = float((np.logaddexp(0, scores) - y * scores).sum())
        return value, np.array([(over * x).sum(), over.sum()])

    return _least(loss, np.array([SHIFT_SPREAD]))


def _least(loss: Callable[[Floats], tuple[float, Floats]], spreads: Floats) -> Floats:
    """The scale, and r numbers around 0, of the least loss and prior: it is convex, so there is one minimum.

    Args:
        loss: of the 1 + r numbers; gives the loss and its slope.
        spreads: of the priors of the r numbers, float64 (r,), values > 0.
    """
    middle = np.concatenate([[1.0], np.zeros(len(spreads))])
    spread = np.concatenate([[SCALE_SPREAD], spreads])

    def posterior(theta: Floats) -> tuple[float, Floats]:
        value, slope = loss(theta)
        away = (theta - middle) / spread
        return value + 0.5 * float(away @ away), slope + away / spread

    bounds = [(LEAST_SCALE, None), *[(None, None)] * len(spreads)]
    return np.asarray(minimize(posterior, middle, jac=True, method="L-BFGS-B", bounds=bounds).x, np.float64)
